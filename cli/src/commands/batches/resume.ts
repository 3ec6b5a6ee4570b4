import { Flags } from '@oclif/core';
import { GATEWAY_FLAGS } from '../../lib/base-command.js';
import { totalsWord } from '../../lib/batch/view.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';
import { WatchingCommand } from '../../lib/watching-command.js';

export default class BatchesResume extends WatchingCommand<typeof BatchesResume> {
  static override summary = 'Go on with a batch that stopped after failures, and watch it.';
  static override description =
    'Failures are counted anew. VMs that failed are not tried again: hyperctl retry --all-failed --batch ID.';
  static override examples = [
    '<%= config.bin %> batches resume batch-7k2m9x4qa3hd',
    '<%= config.bin %> batches resume night-1 --detach',
  ];
  static override args = BATCH_ARG;
  static override flags = {
    detach: Flags.boolean({ char: 'd', description: 'Only have it go on.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const batch = await client.batches.resume(await findBatch(client, this.args.batch));
    if (!this.flags.detach) return this.watchBatch(client, batch.batch_id);
    if (this.isJson) this.printJson(batch);
    else if (!this.isQuiet)
      this.log(
        `Batch ${batch.batch_id} goes on: ${totalsWord(batch.totals)}.\nWatch it: hyperctl batches watch ${batch.batch_id}`,
      );
    return EXIT.ok;
  }
}
