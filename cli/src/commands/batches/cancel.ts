import { Flags } from '@oclif/core';
import type { BatchDetail } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { isOver, totalsWord } from '../../lib/batch/view.js';
import type { GatewayClient } from '../../lib/client.js';
import { GatewayProblem } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';
import { liveLine } from '../../lib/live-line.js';
import { interruption, poll } from '../../lib/poll.js';

export default class BatchesCancel extends BaseCommand<typeof BatchesCancel> {
  static override summary = 'Cancel all VMs of a batch that have not ended.';
  static override description =
    'Waits until every one of them is cancelled; that goes on when hyperctl is ended. What was moved stays; what the exports\n' +
    'of the others left is removed in the background.';
  static override examples = [
    '<%= config.bin %> batches cancel batch-7k2m9x4qa3hd',
    '<%= config.bin %> batches cancel night-1 --detach',
  ];
  static override args = BATCH_ARG;
  static override flags = {
    detach: Flags.boolean({ char: 'd', description: 'Do not wait for the last of them.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const { asked, already } = await cancel(client, await findBatch(client, this.args.batch));
    const batch = this.flags.detach ? asked : await this.#over(client, asked);
    if (batch === undefined) {
      this.logToStderr(`The cancelling goes on. Look at it: hyperctl batches show ${asked.batch_id}`);
      return EXIT.interrupted;
    }
    if (this.isJson) this.printJson(batch);
    else if (!this.isQuiet)
      this.log(
        `Batch ${batch.batch_id} ${already ? 'was cancelled before' : 'is cancelled'}: ${totalsWord(batch.totals)}.`,
      );
    return EXIT.ok;
  }

  /** Undefined after Ctrl-C. */
  async #over(client: GatewayClient, asked: BatchDetail): Promise<BatchDetail | undefined> {
    if (isOver(asked)) return asked;
    const line = liveLine(process.stderr, !this.showsProgress);
    const interrupted = interruption();
    try {
      for await (const batch of poll(() => client.batches.one(asked.batch_id), { signal: interrupted.signal })) {
        if (isOver(batch)) return batch;
        line.set(`🛑 Cancelling: ${totalsWord(batch.totals)}`);
      }
      return undefined;
    } finally {
      line.clear();
      interrupted.release();
    }
  }
}

/** A second time it is only said how it stands. */
async function cancel(client: GatewayClient, id: string): Promise<{ asked: BatchDetail; already: boolean }> {
  const before = await client.batches.one(id);
  if (before.status === 'cancelled') return { asked: before, already: true };
  try {
    return { asked: await client.batches.cancel(id), already: false };
  } catch (error) {
    // Somebody else was faster.
    if (!(error instanceof GatewayProblem) || error.code !== 'STATE_CONFLICT') throw error;
    const asked = await client.batches.one(id);
    if (asked.status !== 'cancelled') throw error;
    return { asked, already: true };
  }
}
