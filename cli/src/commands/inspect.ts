import { Flags } from '@oclif/core';
import type { Inspection } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { CONVERSION_FLAGS } from '../lib/conversion-options.js';
import { convertBody } from '../lib/convert-request.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { EXPORT_FLAGS } from '../lib/export-options.js';
import { inspectionLines } from '../lib/inspect-report.js';
import { chooseSource, SOURCE_FLAGS } from '../lib/local-source.js';
import { readLuksKeys } from '../lib/luks-keys.js';
import { originOf } from '../lib/origin.js';
import { interruption } from '../lib/poll.js';
import { withSpinner } from '../lib/spinner.js';
import { VCENTER_FLAGS, withPassword } from '../lib/vcenter.js';
import { painter } from '../lib/width.js';

export default class Inspect extends BaseCommand<typeof Inspect> {
  static override summary = 'Say what a VM is, what a conversion would do with it, and what worries; change nothing.';
  static override description =
    'Takes the flags of "hyperctl convert". Files are looked into, which takes up to a minute; the disks of a VM on\n' +
    'vCenter are not read before their export: of it, what vCenter says is judged.\n' +
    'Exit codes: 0 it can be converted (there may be concerns), 1 a conversion would be refused, or the VM could not be\n' +
    'inspected, 2 usage, 3 the gateway cannot be reached, 4 not found, 5 denied.';
  static override examples = [
    '<%= config.bin %> inspect --vm production-db --vcenter vcenter.example.com',
    '<%= config.bin %> inspect --ova appliance.ova --diff',
    '<%= config.bin %> inspect --disk root.vmdk data.vmdk --name web-01 --luks-key web.key --target kvm1 --json',
  ];
  static override flags = {
    ...SOURCE_FLAGS,
    diff: Flags.boolean({ description: 'Show changes of text files as diffs.' }),
    ...VCENTER_FLAGS,
    'source-power': EXPORT_FLAGS['source-power'],
    ...CONVERSION_FLAGS,
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const chosen = chooseSource(this.flags, process.cwd());
    const { keys, warnings } = readLuksKeys(this.flags['luks-key'] ?? [], process.env);
    for (const warning of warnings) this.caution(warning);
    const body = convertBody(chosen, this.flags, this.settings, keys, 'inspect');
    if (chosen.source === undefined)
      body.vcenter = await withPassword(body.vcenter, { file: this.flags['password-file'], quiet: this.isQuiet });
    const seen = await this.#ask(() => client.inspect(body));
    if (seen === undefined) return EXIT.interrupted;
    const origin = originOf(chosen.source, this.settings.vcenter.server).label;
    if (this.isJson) this.printJson(seen);
    else if (!this.isQuiet) {
      const paint = painter(this.settings.colorOn(process.stdout));
      this.log(inspectionLines(seen, { paint, origin, diff: this.flags.diff }).join('\n'));
    } else if (seen.refusal !== null) this.logToStderr(`Error: ${seen.refusal.message} (${seen.refusal.code})`);
    return seen.refusal === null ? EXIT.ok : EXIT.failed;
  }

  /** Undefined after Ctrl-C. */
  async #ask(question: () => Promise<Inspection>): Promise<Inspection | undefined> {
    const interrupted = interruption();
    const stopped = new Promise<undefined>((resolve) => {
      interrupted.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const start = Date.now();
    const text = (): string => `Inspecting (${Math.floor((Date.now() - start) / 1000)}s; it may take a minute)`;
    try {
      return await withSpinner(process.stdout, !this.showsProgress, text, () => Promise.race([question(), stopped]));
    } finally {
      interrupted.release();
    }
  }
}
