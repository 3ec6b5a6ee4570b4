import { Flags } from '@oclif/core';
import { LANES } from '@hyper2kvm/contracts';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import { CONVERSION_FLAGS } from '../lib/conversion-options.js';
import { convertBody } from '../lib/convert-request.js';
import { concernLines } from '../lib/concerns.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { confirmPower, EXPORT_FLAGS } from '../lib/export-options.js';
import { readLuksKeys } from '../lib/luks-keys.js';
import { chooseSource, SOURCE_FLAGS } from '../lib/local-source.js';
import { originOf } from '../lib/origin.js';
import { VCENTER_FLAGS, withPassword } from '../lib/vcenter.js';
import { painter } from '../lib/width.js';
import { WatchingCommand } from '../lib/watching-command.js';

export default class Convert extends WatchingCommand<typeof Convert> {
  static override summary = 'Move a VM to KVM: from vSphere, or from disk images or an OVA.';
  static override description =
    'Exports the VM, converts it, and shows the progress until it is done. Ctrl-C leaves the job running.\n' +
    "Files lie on the exporter's machine, beneath one of its allowed_roots; relative paths start at the current folder.\n" +
    'What would be done is seen beforehand: hyperctl inspect, with the same flags.\n' +
    'The password is read from VSPHERE_PASSWORD, or asked for on a terminal; without one the gateway uses its own.\n' +
    'Exit codes: 0 done, 1 the job failed, 2 usage, 3 the gateway cannot be reached, 4 not found, 5 denied.';
  static override examples = [
    '<%= config.bin %> convert --vm production-db --vcenter vcenter.example.com',
    '<%= config.bin %> convert --vm web-01 --vcenter vcenter.example.com --username admin@vsphere.local --datacenter DC1 --detach',
    '<%= config.bin %> convert --vm production-db --verify-boot --to-libvirt --notify ops@example.com',
    '<%= config.bin %> convert --vm /DC1/vm/web/web-01 --source-power shutdown --bandwidth 200M',
    '<%= config.bin %> convert --disk root.vmdk data.vmdk --name web-01 --cpus 4 --memory 8G',
    '<%= config.bin %> convert --ova appliance.ova --verify-boot --target kvm1 --map-network "VM Network=br0"',
    '<%= config.bin %> convert --vm vault --luks-key vault.key --to-libvirt --start',
  ];
  static override flags = {
    ...SOURCE_FLAGS,
    priority: Flags.option({ options: LANES })({ description: 'Lane in which the job waits [default: normal].' }),
    tags: Flags.string({ description: 'Tags of the job, separated by commas.' }),
    notify: Flags.string({ description: 'E-mail address that hears of the end.' }),
    detach: Flags.boolean({ char: 'd', description: 'Only start the job.' }),
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
    const client = this.client();
    const chosen = chooseSource(this.flags, process.cwd());
    const { keys, warnings } = readLuksKeys(this.flags['luks-key'] ?? [], process.env);
    if (!this.isQuiet) for (const warning of warnings) this.logToStderr(`Warning: ${warning}`);
    const body = convertBody(chosen, this.flags, this.settings, keys);
    await confirmPower(chosen.vmName, this.flags['source-power'], this.flags.yes);
    if (chosen.source === undefined) body.vcenter = await withPassword(body.vcenter, this.settings, this.isQuiet);
    const accepted = await client.convert(body);
    const jobId = accepted.job_id;
    if (this.flags.detach) {
      if (this.isJson) this.printJson(await client.job(jobId));
      else if (!this.isQuiet)
        this.log(
          [
            `Job ID: ${jobId}\nStatus: Export started...\nFollow progress: hyperctl status --job ${jobId} --follow`,
            ...concernLines(accepted.concerns ?? [], painter(this.settings.color && process.stdout.isTTY)),
          ].join('\n'),
        );
      return EXIT.ok;
    }
    const origin = originOf(chosen.source, this.settings.vcenter.server);
    return this.watchJob(client, jobId, { type: 'accepted', accepted, origin });
  }
}
