import { Flags } from '@oclif/core';
import {
  CHECK_IDS,
  checksFor,
  examine,
  findingLines,
  groupLine,
  lookAround,
  machineLine,
  totalLine,
  type Finding,
} from '../doctor/index.js';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { HOME_FLAG } from '../lib/daemon-flags.js';
import { noConfig, type ConfigFile } from '../lib/config/index.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { liveLine } from '../lib/live-line.js';
import { didYouMean, nearest } from '../lib/near.js';
import { interruption } from '../lib/poll.js';
import { painter } from '../lib/width.js';

export default class Doctor extends BaseCommand<typeof Doctor> {
  static override summary = 'Check that this machine has all that is needed, and say how to mend what is not.';
  static override description =
    'Looks at programs, services, NATS and PostgreSQL, space and permissions, vCenters, KVM and libguestfs, which it really\n' +
    'launches. Nothing is changed. Where only a gateway elsewhere is configured, it looks at that alone.\n' +
    'The exit code is 1 when something is missing that is needed; warnings leave it at 0.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --quick',
    '<%= config.bin %> doctor --only nats,postgres,kvm',
    '<%= config.bin %> doctor --only vcenter --vcenter vcenter.example.com',
    '<%= config.bin %> doctor --all --json',
  ];
  static override flags = {
    quick: Flags.boolean({ description: 'Leave out what takes long: KVM and libguestfs.' }),
    only: Flags.string({ description: `Only these checks, separated by commas: ${CHECK_IDS.join(', ')}.` }),
    all: Flags.boolean({ description: 'As if services ran here, also where only a gateway elsewhere is configured.' }),
    vcenter: Flags.string({ description: 'A vCenter (host[:port]) that is to be reached from here.' }),
    'ca-file': Flags.string({ description: "PEM file with the CA of vCenter's certificate." }),
    'services-config': Flags.string({
      helpValue: 'FILE',
      description:
        "The services' configuration [default: HYPER2KVM_CONFIG, the local stack's, /etc/hyper2kvm/config.yaml].",
    }),
    ...HOME_FLAG,
    ...GATEWAY_FLAGS,
  };

  #ownProblem: UsageError | undefined;

  /** A file that cannot be used is one of the things to find. */
  protected override readConfig(path: string): ConfigFile {
    try {
      return super.readConfig(path);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#ownProblem = error;
      return noConfig(path);
    }
  }

  protected async work(): Promise<ExitCode> {
    const only = (this.flags.only ?? '')
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean);
    const unknown = only.find((id) => !CHECK_IDS.includes(id));
    if (unknown !== undefined)
      throw new UsageError(
        `--only: there is no check ${unknown}${didYouMean(nearest(unknown, CHECK_IDS))}`,
        `one or more of: ${CHECK_IDS.join(', ')}`,
      );
    const machine = lookAround({
      config: this.flags['services-config'],
      home: this.flags.home,
      all: this.flags.all,
      settings: this.settings,
      settingsProblem: this.#ownProblem,
      client: this.client(),
      env: process.env,
    });
    const checks = await checksFor(machine, { only, quick: this.flags.quick });
    const paint = painter(this.settings.colorOn(process.stdout));
    if (!this.isQuiet) this.log(machineLine(machine));
    const findings: Finding[] = [];
    const busy = liveLine(process.stderr, this.isQuiet || !process.stdout.isTTY);
    const interrupted = interruption();
    try {
      for await (const finding of examine(checks, machine, interrupted.signal, ({ title }) =>
        busy.set(`  … ${title}`),
      )) {
        busy.clear();
        if (!this.isQuiet && finding.check.group !== findings.at(-1)?.check.group)
          this.log(groupLine(finding.check.group, paint));
        findings.push(finding);
        if (!this.isQuiet) this.log(findingLines(finding, paint, this.columns).join('\n'));
      }
    } catch (error) {
      if (interrupted.signal.aborted) return EXIT.interrupted;
      throw error;
    } finally {
      busy.clear();
      interrupted.release();
    }
    const fine = findings.every(({ outcome }) => outcome.verdict !== 'failed');
    if (this.isJson) this.printJson(document(findings, fine));
    else if (!this.isQuiet) this.log(`\n${totalLine(findings)}`);
    else for (const one of findings.filter(({ outcome }) => outcome.verdict === 'failed')) this.#failed(one);
    return fine ? EXIT.ok : EXIT.failed;
  }

  #failed(finding: Finding): void {
    this.logToStderr(findingLines(finding, painter(false)).join('\n'));
  }
}

const document = (findings: readonly Finding[], fine: boolean): object => ({
  ok: fine,
  checks: findings.map(({ check, outcome, seconds }) => ({
    id: check.id,
    title: check.title,
    group: check.group,
    status: outcome.verdict,
    found: outcome.found,
    why: outcome.why ?? null,
    fix: outcome.fix ?? [],
    seconds: Math.round(seconds * 10) / 10,
  })),
});
