import type { BatchDetail, JobStatus } from '@hyper2kvm/contracts';
import type { GatewayClient } from '../client.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { GatewayUnreachable } from '../errors.js';
import { asciiMarks } from '../marks.js';
import { interruption, poll } from '../poll.js';
import type { Settings } from '../settings.js';
import { painter } from '../width.js';
import { endLines } from './draw.js';
import { openBatchScreen } from './screen.js';
import { isHeld, isOver, NO_BATCH, onConnection, onLook, type BatchLook, type BatchView } from './view.js';

const LEAST_PAUSE_MS = 1_000;
/** The gateway is asked for a tenth of the time at most, however large the batch. */
const PAUSES_PER_LOOK = 10;
/** All jobs of a batch up to this size are asked for each time; of a larger one when the totals changed. */
const SMALL = 500;
const UNDER_WAY: readonly JobStatus[] = ['exporting', 'exported', 'converting'];
/** A batch that waits for somebody is left when nothing was exporting or converting for so many looks: what is under way goes on to its end. */
const QUIET_LOOKS = 3;

export interface BatchWatchOptions {
  readonly client: GatewayClient;
  readonly settings: Settings;
  readonly batchId: string;
  /** It was made just now: all that happened is told. */
  readonly fresh?: boolean;
  readonly quiet: boolean;
  readonly stream: NodeJS.WriteStream;
}

export type BatchWatched =
  | { readonly ended: true; readonly detail: BatchDetail; readonly exitCode: ExitCode }
  /** Ctrl-C: the batch goes on. */
  | { readonly ended: false };

/** Shows a batch until it is through or stopped, or the user has seen enough. */
export async function watchBatch(options: BatchWatchOptions): Promise<BatchWatched> {
  const { client, settings, batchId, stream } = options;
  const color = settings.colorOn(stream);
  const screen = openBatchScreen({ stream, color, silent: options.quiet || !settings.showProgress });
  const interrupted = interruption();
  let view: BatchView = { ...NO_BATCH, fresh: options.fresh === true };
  const show = (next: BatchView): void => {
    view = next;
    screen.draw(view);
  };
  let totals = '';
  let pauseMs = LEAST_PAUSE_MS;
  const look = async (): Promise<BatchLook> => {
    const start = Date.now();
    try {
      const detail = await client.batches.one(batchId);
      const now = JSON.stringify(detail.totals);
      const all = detail.totals.total <= SMALL || now !== totals;
      const jobs = await client.jobs({ batch: batchId, ...(all ? {} : { status: UNDER_WAY }) });
      totals = now;
      pauseMs = Math.max(LEAST_PAUSE_MS, (Date.now() - start) * PAUSES_PER_LOOK);
      if (view.lost) show(onConnection(view, 'restored', Date.now()));
      return { detail, jobs };
    } catch (error) {
      if (error instanceof GatewayUnreachable && !view.lost) show(onConnection(view, 'lost', Date.now()));
      throw error;
    }
  };
  let ended: BatchDetail | undefined;
  let still = 0;
  try {
    for await (const seen of poll(look, { signal: interrupted.signal, pauseMs: () => pauseMs })) {
      show(onLook(view, seen, Date.now()));
      const { detail } = seen;
      const busy = detail.totals.exporting + detail.totals.converting > 0;
      still = isHeld(detail) && !busy ? still + 1 : 0;
      if (!isOver(detail) && still < QUIET_LOOKS) continue;
      ended = detail;
      break;
    }
  } finally {
    screen.close();
    interrupted.release();
  }
  if (ended === undefined) return { ended: false };
  if (!options.quiet) stream.write(`${asciiMarks(endLines(ended, view.jobs.values(), painter(color)).join('\n'))}\n`);
  return { ended: true, detail: ended, exitCode: exitCodeOfBatch(ended) };
}

/** 1 where a VM failed, or was not moved. */
export const exitCodeOfBatch = ({ status, totals }: BatchDetail): ExitCode =>
  status === 'completed' && totals.failed === 0 && totals.cancelled === 0 ? EXIT.ok : EXIT.failed;
