import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { batchLines } from '../../lib/batch/show.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';

export default class BatchesShow extends BaseCommand<typeof BatchesShow> {
  static override summary = 'Show a batch: its totals, its waves, and why they wait.';
  static override description = 'Its jobs: hyperctl list --batch ID.';
  static override examples = [
    '<%= config.bin %> batches show batch-7k2m9x4qa3hd',
    '<%= config.bin %> batches show night-1 --json',
  ];
  static override args = BATCH_ARG;
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const batch = await client.batches.one(await findBatch(client, this.args.batch));
    if (this.isJson) this.printJson(batch);
    else if (!this.isQuiet) this.log(batchLines(batch, this.columns).join('\n'));
    return EXIT.ok;
  }
}
