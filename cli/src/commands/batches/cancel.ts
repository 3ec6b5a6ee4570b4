import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { totalsWord } from '../../lib/batch/view.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';

export default class BatchesCancel extends BaseCommand<typeof BatchesCancel> {
  static override summary = 'Cancel all VMs of a batch that have not ended.';
  static override description =
    'What was moved stays; what the exports of the others left is removed in the background.';
  static override examples = ['<%= config.bin %> batches cancel batch-7k2m9x4qa3hd'];
  static override args = BATCH_ARG;
  static override flags = { ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const batch = await client.batches.cancel(await findBatch(client, this.args.batch));
    if (this.isJson) this.printJson(batch);
    else if (!this.isQuiet) this.log(`Batch ${batch.batch_id} is cancelled: ${totalsWord(batch.totals)}.`);
    return EXIT.ok;
  }
}
