import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { FLEET_FLAGS, WORKERS_ARG } from '../lib/workers/choose.js';
import { DutyCommand, goOn, naming } from '../lib/workers/duty-command.js';

export default class Pause extends DutyCommand<typeof Pause> {
  static override summary = 'Have workers take nothing new; what they are at goes on.';
  static override description =
    'Jobs wait, or go to other workers. A paused worker stays paused until it is resumed, also when it is started anew.\n' +
    'To have a worker end what it has before its host is serviced: hyperctl drain.';
  static override examples = [
    '<%= config.bin %> pause kvm01-converter',
    '<%= config.bin %> pause kvm01-converter kvm02-converter',
    '<%= config.bin %> pause --daemon exporter',
    '<%= config.bin %> pause --all',
  ];
  static override args = WORKERS_ARG;
  static override flags = { ...FLEET_FLAGS, ...GATEWAY_FLAGS };

  protected async work(): Promise<ExitCode> {
    const told = await this.tell(this.client(), 'pause');
    if (this.isJson) this.printJson({ workers: told.map(({ after }) => after) });
    else if (!this.isQuiet) {
      for (const { before, after } of told)
        this.log(`${after.worker_id}: ${before.status === 'paused' ? 'was paused already' : 'paused'}; ${goOn(after)}`);
      this.log(`To go on: hyperctl resume ${naming(told, this.flags)}`);
    }
    return EXIT.ok;
  }
}
