import { GATEWAY_FLAGS } from '../lib/base-command.js';
import type { ExitCode } from '../lib/exit-codes.js';
import { EXPORT_FLAGS } from '../lib/export-options.js';
import { MOVING_FLAGS, MovingCommand } from '../lib/moving-command.js';
import { VCENTER_FLAGS } from '../lib/vcenter.js';

export default class Export extends MovingCommand<typeof Export> {
  static override summary = 'Fetch the disks of VMs; they are converted later.';
  static override description =
    'The job rests in exported when its disks are there and verified. "hyperctl convert --job ID" converts it, with\n' +
    'options of its own. Exit codes are those of "hyperctl convert".';
  static override examples = [
    '<%= config.bin %> export --vm production-db --vcenter vcenter.example.com',
    '<%= config.bin %> export --batch vms.txt --at 22:00 --detach',
    '<%= config.bin %> convert --job job-7k2m9x4qa3hd --to-libvirt',
  ];
  static override flags = { ...MOVING_FLAGS, ...VCENTER_FLAGS, ...EXPORT_FLAGS, ...GATEWAY_FLAGS };

  protected work(): Promise<ExitCode> {
    return this.move(this.flags, 'export');
  }
}
