import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { VERSION } from '../version.js';
import { counter, histogram, scraped } from './metrics.js';
import { sharedState } from './shared-state.js';

/** How the handling of a message ended: `again` is everything that has it come back. */
export type HandlingOutcome = 'done' | 'failed' | 'again' | 'cancelled';

export const natsReconnects = counter('hyper2kvm_nats_reconnects_total', 'Times that the connection to NATS came back');
export const redeliveries = counter<'event'>(
  'hyper2kvm_redeliveries_total',
  'Messages that were delivered to this service again',
  { event: 'any' },
);
export const deadLettered = counter<'event'>(
  'hyper2kvm_dead_lettered_total',
  'Messages that this service put aside as dead letters',
  { event: 'any' },
);
export const handlingSeconds = histogram<'event' | 'outcome'>(
  'hyper2kvm_handling_duration_seconds',
  'Time that the handling of a message took, by what became of it',
  { event: 'any', outcome: 'any' },
);

const expected = new Set<string>();

/** What this service takes is known when its handlers are: from then on it counts from 0. Several handlers may take one event. */
export function expectEvent(event: string): void {
  // `zero` forgets what was counted.
  if (expected.has(event)) return;
  expected.add(event);
  for (const one of [redeliveries, deadLettered]) one.inc({ event }, 0);
  handlingSeconds.zero({ event, outcome: 'done' });
}

/** Starts a clock; its stop notes the time under an outcome. */
export function startHandling(event: string, deliveries: number): (outcome: HandlingOutcome) => void {
  if (deliveries > 1) redeliveries.inc({ event });
  const began = performance.now();
  return (outcome) => handlingSeconds.observe({ event, outcome }, (performance.now() - began) / 1000);
}

/** What every service shows of itself, read at each scrape. */
export function exposeProcess(self: {
  readonly service: string;
  readonly isConnected: () => boolean;
  /** Of the lanes: what a worker is measured by. */
  readonly slots: () => { readonly all: number; readonly busy: number };
  readonly folders: Readonly<Partial<Record<'work' | 'output', string | undefined>>>;
}): void {
  scraped('hyper2kvm_build_info', 'Always 1; the labels tell which version runs', ['service', 'version'], (put) =>
    put(1, { service: self.service, version: VERSION }),
  );
  scraped('hyper2kvm_nats_connected', 'Whether the connection to NATS stands', [], (put) =>
    put(self.isConnected() ? 1 : 0),
  );
  scraped('hyper2kvm_worker_slots', 'Exports or conversions that this worker does at the same time', [], (put) =>
    put(self.slots().all),
  );
  scraped('hyper2kvm_worker_slots_busy', 'Exports or conversions that this worker has in hand', [], (put) =>
    put(self.slots().busy),
  );
  const folders = Object.entries(self.folders).flatMap(([name, folder]) =>
    folder === undefined ? [] : [[name, sharedState(async () => spaceOf(folder))] as const],
  );
  const each = async (put: (folder: string, space: Space) => void): Promise<void> => {
    // One that does not answer (a mount that hangs) does not hide the other.
    await Promise.all(
      folders.map(async ([name, ask]) =>
        ask().then(
          (space) => put(name, space),
          () => {},
        ),
      ),
    );
  };
  scraped('hyper2kvm_disk_free_bytes', 'Bytes free for this service where its folder lies', ['folder'], async (put) =>
    each((folder, { free }) => put(free, { folder })),
  );
  scraped('hyper2kvm_disk_size_bytes', 'Size of the file system in which the folder lies', ['folder'], async (put) =>
    each((folder, { size }) => put(size, { folder })),
  );
}

interface Space {
  readonly free: number;
  readonly size: number;
}

/** In bytes. The folder need not exist yet. */
async function spaceOf(folder: string): Promise<Space> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch (error) {
    const parent = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error;
    return spaceOf(parent);
  }
}
