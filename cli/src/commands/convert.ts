import { Flags } from '@oclif/core';
import { LANES } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { convertBody } from '../lib/convert-request.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { askSecret } from '../lib/prompt.js';
import { watch } from '../lib/watch.js';

export default class Convert extends BaseCommand<typeof Convert> {
  static override summary = 'Move a VM from vSphere to KVM.';
  static override description =
    'Exports the VM from vCenter, converts it, and shows the progress until it is done. Ctrl-C leaves the job running.\n' +
    'The password is read from VSPHERE_PASSWORD, or asked for on a terminal; without one the gateway uses its own.\n' +
    'Exit codes: 0 done, 1 the job failed, 2 usage, 3 the gateway cannot be reached, 4 not found, 5 denied.';
  static override examples = [
    '<%= config.bin %> convert --vm production-db --vcenter vcenter.example.com',
    '<%= config.bin %> convert --vm web-01 --vcenter vcenter.example.com --username admin@vsphere.local --datacenter DC1 --detach',
    '<%= config.bin %> convert --vm production-db --verify-boot --to-libvirt --notify ops@example.com',
  ];
  static override flags = {
    vm: Flags.string({ required: true, description: 'Name (or inventory path, or managed object id) of the VM.' }),
    priority: Flags.option({ options: LANES })({ description: 'Lane in which the job waits [default: normal].' }),
    tags: Flags.string({ description: 'Tags of the job, separated by commas.' }),
    notify: Flags.string({ description: 'E-mail address that hears of the end.' }),
    detach: Flags.boolean({ char: 'd', description: 'Only start the job.' }),
    vcenter: Flags.string({ helpGroup: 'VCENTER', description: 'vCenter (host[:port]); also VSPHERE_SERVER.' }),
    username: Flags.string({ helpGroup: 'VCENTER', description: 'Account at vCenter; also VSPHERE_USERNAME.' }),
    datacenter: Flags.string({ helpGroup: 'VCENTER', description: 'Datacenter to look in; also VSPHERE_DATACENTER.' }),
    'ca-file': Flags.string({ helpGroup: 'VCENTER', description: "PEM file with the CA of vCenter's certificate." }),
    thumbprint: Flags.string({ helpGroup: 'VCENTER', description: "SHA-256 fingerprint of vCenter's certificate." }),
    insecure: Flags.boolean({
      helpGroup: 'VCENTER',
      allowNo: true,
      description: "Do not check vCenter's certificate.",
    }),
    'output-dir': Flags.string({
      helpGroup: 'CONVERSION',
      description: 'Folder for the result, on the converting machine.',
    }),
    'skip-network-fix': Flags.boolean({
      helpGroup: 'CONVERSION',
      exclusive: ['fix-network'],
      description: 'Leave the network configuration alone.',
    }),
    'fix-network': Flags.boolean({
      helpGroup: 'CONVERSION',
      allowNo: true,
      description: 'Fix the network configuration [default].',
    }),
    'fix-fstab': Flags.boolean({ helpGroup: 'CONVERSION', allowNo: true, description: 'Fix /etc/fstab [default].' }),
    'fix-grub': Flags.boolean({ helpGroup: 'CONVERSION', allowNo: true, description: 'Fix the bootloader [default].' }),
    'to-libvirt': Flags.boolean({ helpGroup: 'CONVERSION', description: 'Define the VM in libvirt at the end.' }),
    'verify-boot': Flags.boolean({
      helpGroup: 'CONVERSION',
      description: 'Boot the result and demand a signal from inside the guest.',
    }),
    'proof-timeout': Flags.integer({
      helpGroup: 'CONVERSION',
      min: 10,
      max: 7200,
      dependsOn: ['verify-boot'],
      description: 'Seconds that the guest is given for that [default: 600].',
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const body = convertBody({ ...this.flags, priority: this.flags.priority }, this.settings, await this.#password());
    const accepted = await client.convert(body);
    const jobId = accepted.job_id;
    if (this.flags.detach) {
      if (this.isJson) this.printJson(await client.job(jobId));
      else if (!this.isQuiet)
        this.log(
          `Job ID: ${jobId}\nStatus: Export started...\nFollow progress: hyperctl status --job ${jobId} --follow`,
        );
      return EXIT.ok;
    }
    const watched = await watch({
      client,
      settings: this.settings,
      jobId,
      first: { type: 'accepted', accepted, server: this.settings.vcenter.server ?? 'vCenter' },
      quiet: this.isQuiet,
      stream: process.stdout,
    });
    if (!watched.ended) {
      this.logToStderr(`\nThe job goes on. Follow it: hyperctl status --job ${jobId} --follow`);
      return EXIT.interrupted;
    }
    if (this.isJson) this.printJson(watched.job);
    else if (this.isQuiet && watched.exitCode !== EXIT.ok)
      this.logToStderr(`Error: ${watched.job.error ?? watched.job.status} (${jobId})`);
    return watched.exitCode;
  }

  /** Never from the arguments: every process of the machine may read these. */
  async #password(): Promise<string | undefined> {
    const fromEnvironment = process.env['VSPHERE_PASSWORD'];
    if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
    const { username, server } = this.settings.vcenter;
    if (username === undefined || this.isQuiet || !process.stdin.isTTY || !process.stderr.isTTY) return undefined;
    const answer = await askSecret(`Password of ${username} at ${server ?? 'vCenter'} (empty: the gateway's own): `);
    return answer === '' ? undefined : answer;
  }
}
