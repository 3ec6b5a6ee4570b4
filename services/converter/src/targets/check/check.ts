import { access } from 'node:fs/promises';
import type { ConversionOptions, Machine, checkTarget as definition } from '@hyper2kvm/contracts';
import { checkFormat } from '../../commit/index.js';
import { outputRoot } from '../../output-root.js';
import type { ConverterSettings } from '../../work.js';
import { findFirmware, plannedConcerns, planNics, swtpmConcerns } from '../libvirt/index.js';
import { targetOf, type Target } from '../target.js';
import { newFindings, type Findings } from './findings.js';
import { checkHost } from './host.js';
import { checkSpaces } from './space.js';
import type { z } from 'zod';

export interface TargetQuestion {
  readonly machine: Machine;
  readonly vm_name: string;
  readonly options: ConversionOptions;
}
export type TargetAnswer = z.infer<typeof definition.reply>;

/**
 * Whether a VM can go where its job wants it, before anything of it is exported. Nothing is changed.
 * @param pools of this converter
 */
export async function checkTarget(
  question: TargetQuestion,
  settings: ConverterSettings,
  pools: readonly string[],
  signal: AbortSignal,
): Promise<TargetAnswer> {
  const { machine, options } = question;
  const findings = newFindings();
  const target = await findings.look(() => targetOf(settings, options.target));
  await findings.look(() => checkFormat(options));
  const wanted = options.output_dir ?? target?.outputDir;
  const root = (await findings.look(() => outputRoot(settings, wanted))) ?? settings.outputDir;
  // Another converter will have the job, and may see other folders by these names.
  const reachesStorage = target?.pool === undefined || pools.includes(target.pool);
  const free = await checkSpaces({ machine, options, settings, root, reachesStorage }, findings);
  if (target !== undefined) {
    checkDevices(machine, options, target, findings);
    if (options.to_libvirt) await findings.look(() => checkHost({ ...question, target }, findings, signal));
  }
  await checkWorker(machine, settings, options, findings);
  return { problems: findings.problems, concerns: findings.concerns, ...free };
}

/** What the plan of the domain would say. */
function checkDevices(machine: Machine, options: ConversionOptions, target: Target, findings: Findings): void {
  const maps = { job: options.network_map, target: target.networkMap };
  // Only their networks count here: NICs without an address get one later.
  const nics = planNics(
    machine.nics.map((nic) => ({ ...nic, mac: nic.mac ?? '' })),
    [],
    maps,
    target.network,
  );
  const { network } = target;
  findings.concerns.push(...plannedConcerns({ nics, network, tpm: machine.tpm ?? false }, machine));
  const networks = machine.nics.map((nic) => nic.network);
  for (const { from } of options.network_map ?? [])
    if (!networks.includes(from))
      findings.concern('TARGET', `no NIC of the VM is in the network ${from} that is mapped`);
}

/** What a converter needs on its own machine. */
async function checkWorker(
  machine: Machine,
  settings: ConverterSettings,
  options: ConversionOptions,
  findings: Findings,
): Promise<void> {
  await findings.look(() => findFirmware(machine));
  if (!options.to_libvirt) findings.concerns.push(...(await swtpmConcerns({ tpm: machine.tpm ?? false })));
  const missing = isWindows(machine) && options.no_os !== true ? await missingDrivers(settings) : undefined;
  if (missing !== undefined) findings.problem('DRIVERS_MISSING', missing);
}

/** vSphere's guest ids: `windows9Server64Guest`, `windows2019srv_64Guest`, `winXPProGuest`. */
const isWindows = ({ guest_id: id }: Machine): boolean => /^win/i.test(id ?? '');

async function missingDrivers({ virtioWin }: ConverterSettings): Promise<string | undefined> {
  if (virtioWin === undefined)
    return 'the VM holds Windows, which needs the drivers of virtio-win, and converter.virtio_win is not set';
  return access(virtioWin).then(
    () => undefined,
    () => `the VM holds Windows, and converter.virtio_win (${virtioWin}) is not there`,
  );
}
