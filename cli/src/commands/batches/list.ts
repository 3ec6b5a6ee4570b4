import { Flags } from '@oclif/core';
import { BATCH_STATUSES } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { batchTable } from '../../lib/batch/show.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';

export default class BatchesList extends BaseCommand<typeof BatchesList> {
  static override summary = 'List the batches, newest first.';
  static override description =
    'Those that run, and those of the past; conditions are combined. One of them: hyperctl batches show BATCH.';
  static override examples = [
    '<%= config.bin %> batches list',
    '<%= config.bin %> batches list --status running --limit 10',
  ];
  static override flags = {
    status: Flags.option({ options: BATCH_STATUSES })({ description: 'Only batches of this state.' }),
    limit: Flags.integer({ char: 'n', min: 1, description: 'At most so many.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const batches = await this.client().batches.list(this.flags.status, this.flags.limit);
    if (this.isJson) this.printJson({ batches });
    else if (!this.isQuiet)
      this.log(batches.length === 0 ? 'No batches.' : batchTable(batches, this.columns).join('\n'));
    return EXIT.ok;
  }
}
