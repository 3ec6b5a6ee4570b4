import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import type { VmListBody } from '../lib/client.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { plural, printable } from '../lib/format.js';
import { given } from '../lib/given.js';
import { VCENTER_FLAGS, vcenterRequest, withPassword } from '../lib/vcenter.js';
import { VmTable } from '../lib/vm-table.js';

const POWER = { on: 'poweredOn', off: 'poweredOff', suspended: 'suspended' } as const;

export default class Vms extends BaseCommand<typeof Vms> {
  static override summary = 'List the VMs of a vCenter.';
  static override description =
    'Ordered by inventory path; conditions are combined. SIZE is what the disks can hold, USED what the VM takes up.\n' +
    'With --quiet the output is one inventory path a line, as "convert --batch -" takes them.';
  static override examples = [
    '<%= config.bin %> vms --vcenter vcenter.example.com --username admin@vsphere.local',
    "<%= config.bin %> vms --name 'web-*' --power on",
    "<%= config.bin %> vms --folder '/DC1/vm/web*' --tag production --quiet | <%= config.bin %> convert --batch - --detach",
    "<%= config.bin %> vms --json | jq '.vms[] | select(.disks > 2) | .name'",
  ];
  static override flags = {
    name: Flags.string({ description: "Glob over the name ('web-*'), or, with a /, over the inventory path." }),
    folder: Flags.string({ description: "Folder by its inventory path, or a glob over it: '/DC1/vm/web*'." }),
    power: Flags.option({ options: ['on', 'off', 'suspended'] as const })({ description: 'Only VMs in this state.' }),
    tag: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      description: 'Only VMs with this vSphere tag: name, or category:name. Repeatable: all of them.',
    }),
    templates: Flags.boolean({ description: 'Templates, too.' }),
    ...VCENTER_FLAGS,
    ...GATEWAY_FLAGS,
    quiet: Flags.boolean({ char: 'q', description: 'Print inventory paths alone, one a line.', helpGroup: 'OUTPUT' }),
  };

  protected async work(): Promise<ExitCode> {
    const body = this.#body();
    body.vcenter = await withPassword(body.vcenter, { file: this.flags['password-file'], quiet: this.isQuiet });
    const pages = this.client().vms(body);
    if (this.isJson) {
      const vms = [];
      for await (const page of pages) vms.push(...page);
      this.printJson({ total: vms.length, vms });
      return EXIT.ok;
    }
    const table = new VmTable(process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined);
    let count = 0;
    for await (const page of pages) {
      count += page.length;
      const lines = this.flags.quiet ? page.map((vm) => printable(vm.inventory_path)) : table.lines(page);
      if (page.length > 0) this.log(lines.join('\n'));
      // Whoever read has seen enough (head, a pager that was left).
      if (!process.stdout.writable) return EXIT.ok;
    }
    if (this.flags.quiet) return EXIT.ok;
    if (count === 0) this.log('No VMs.');
    else if (process.stdout.isTTY) this.logToStderr(plural(count, 'VM'));
    return EXIT.ok;
  }

  #body(): VmListBody {
    const { name, folder, power, tag, templates } = this.flags;
    return {
      vcenter: vcenterRequest(this.settings.vcenter),
      filter: {
        ...given('name', name),
        ...given('folder', folder),
        ...given('power_state', power === undefined ? undefined : POWER[power]),
        ...given('tags', tag),
        ...given('templates', templates ? true : undefined),
      },
    };
  }
}
