import { Flags } from '@oclif/core';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { CONVERSION_FLAGS, retryBody } from '../lib/conversion-options.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { EXPORT_FLAGS } from '../lib/export-options.js';
import { given } from '../lib/given.js';
import { MOVING_FLAGS, MovingCommand } from '../lib/moving-command.js';
import { VCENTER_FLAGS } from '../lib/vcenter.js';
import { localTime } from '../lib/when.js';

/** Flags that mean something for a job whose disks are there already. */
const LATER = new Set(['job', 'priority', 'detach', 'verify-boot', 'proof-timeout', 'luks-key', 'url', 'token']);

export default class Convert extends MovingCommand<typeof Convert> {
  static override summary = 'Move VMs to KVM: from vSphere, or from disk images or an OVA.';
  static override description =
    'Exports the VM, converts it, and shows the progress until it is done. Ctrl-C leaves the job running.\n' +
    "Files lie on the exporter's machine, beneath one of its allowed_roots; relative paths start at the current folder.\n" +
    'Many VMs at once: --batch FILE. A job that "hyperctl export" made: --job ID.\n' +
    'What would be done is seen beforehand: hyperctl inspect, with the same flags.\n' +
    'The password is read from --password-file or VSPHERE_PASSWORD, or asked for on a terminal; without one the gateway\n' +
    'uses its own.\n' +
    'Exit codes: 0 done, 1 a job failed, 2 usage, 3 the gateway cannot be reached, 4 not found, 5 denied.';
  static override examples = [
    '<%= config.bin %> convert --vm production-db --vcenter vcenter.example.com',
    '<%= config.bin %> convert --vm web-01 --vcenter vcenter.example.com --username admin@vsphere.local --datacenter DC1 --detach',
    '<%= config.bin %> convert --vm production-db --verify-boot --to-libvirt --notify ops@example.com',
    '<%= config.bin %> convert --vm /DC1/vm/web/web-01 --source-power shutdown --bandwidth 200M',
    '<%= config.bin %> convert --disk root.vmdk data.vmdk --name web-01 --cpus 4 --memory 8G',
    '<%= config.bin %> convert --ova appliance.ova --verify-boot --target kvm1 --map-network "VM Network=br0"',
    '<%= config.bin %> convert --vm vault --luks-key vault.key --to-libvirt --start',
    '<%= config.bin %> convert --batch vms.txt --vcenter vcenter.example.com --parallel 3',
    '<%= config.bin %> convert --batch night.yaml --window "Sat 22:00-06:00 Europe/Berlin" --stop-after 5 --detach',
    '<%= config.bin %> convert --vm production-db --at "tomorrow 22:00" --hook-before freeze-app',
    '<%= config.bin %> convert --job job-7k2m9x4qa3hd --no-fix-network',
  ];
  static override flags = {
    job: Flags.string({
      char: 'j',
      description: 'Convert a job that rests in exported ("hyperctl export").',
      exclusive: ['vm', 'disk', 'ova', 'batch'],
    }),
    ...MOVING_FLAGS,
    ...VCENTER_FLAGS,
    ...EXPORT_FLAGS,
    ...CONVERSION_FLAGS,
    'verify-boot': Flags.boolean({
      helpGroup: 'RESULT',
      description: 'Boot the result and demand a signal from inside the guest.',
    }),
    'proof-timeout': Flags.integer({
      helpGroup: 'RESULT',
      min: 10,
      max: 7200,
      dependsOn: ['verify-boot'],
      description: 'Seconds that the guest is given for that [default: 600].',
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    return this.flags.job === undefined ? this.move(this.flags, 'convert') : this.#later(this.flags.job);
  }

  /** The second half of an export, with options of its own. */
  async #later(jobId: string): Promise<ExitCode> {
    const allowed = new Set([...LATER, ...Object.keys(CONVERSION_FLAGS), 'json', 'quiet', 'no-color']);
    const other = Object.entries(this.flags).find(
      ([name, value]) => !allowed.has(name) && value !== undefined && value !== false,
    );
    if (other !== undefined)
      throw new UsageError(`--${other[0]} has no meaning with --job: the disks are there already`);
    const client = this.client();
    const { keys } = this.readKeys(this.flags['luks-key']);
    const body = { ...retryBody(this.flags, keys), ...given('priority', this.flags.priority) };
    const answer = await client.queue(jobId, body);
    if (!this.flags.detach) return this.watchJob(client, jobId);
    if (this.isJson) this.printJson(answer);
    else if (!this.isQuiet) {
      const position = answer.queue_position === null ? '' : ` (position: ${answer.queue_position})`;
      const start =
        answer.estimated_start === null ? '' : `, starts about ${localTime(new Date(answer.estimated_start))}`;
      this.log(`${answer.message}${position}${start}\nFollow progress: hyperctl status --job ${jobId} --follow`);
    }
    return EXIT.ok;
  }
}
