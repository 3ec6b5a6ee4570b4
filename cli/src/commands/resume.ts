import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { plural } from '../lib/format.js';
import { FLEET_FLAGS, WORKERS_ARG } from '../lib/workers/choose.js';
import { DutyCommand } from '../lib/workers/duty-command.js';

export default class Resume extends DutyCommand<typeof Resume> {
  static override summary = 'Have workers that are paused or drained take work again.';
  static override description = 'A batch that stopped: hyperctl batches resume. A failed job: hyperctl retry.';
  static override examples = [
    '<%= config.bin %> resume kvm01-converter',
    '<%= config.bin %> resume --daemon exporter',
    '<%= config.bin %> resume --all',
  ];
  static override args = WORKERS_ARG;
  static override flags = { ...FLEET_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const told = await this.tell(this.client(), 'resume');
    if (this.isJson) this.printJson({ workers: told.map(({ after }) => after) });
    else if (!this.isQuiet)
      for (const { before, after } of told) {
        const what = before.status === 'running' ? 'was running already' : 'takes work again';
        const waiting =
          after.queue_depth === 0 ? 'nothing waits' : `${plural(after.queue_depth, 'message')} in its queues`;
        this.log(`${after.worker_id}: ${what}; ${waiting}`);
      }
    return EXIT.ok;
  }
}
