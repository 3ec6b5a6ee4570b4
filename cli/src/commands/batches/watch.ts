import { GATEWAY_FLAGS } from '../../lib/base-command.js';
import type { ExitCode } from '../../lib/exit-codes.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';
import { WatchingCommand } from '../../lib/watching-command.js';

export default class BatchesWatch extends WatchingCommand<typeof BatchesWatch> {
  static override summary = 'Show a batch until it is through, or stopped.';
  static override description =
    'Ctrl-C leaves it running. Exit codes: 0 every VM was moved, 1 one failed or was not moved.';
  static override examples = ['<%= config.bin %> batches watch batch-7k2m9x4qa3hd'];
  static override args = BATCH_ARG;
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const id = await findBatch(client, this.args.batch);
    // A gateway that is not there now is an error, one that goes away later is waited for.
    await client.batches.one(id);
    return this.watchBatch(client, id);
  }
}
