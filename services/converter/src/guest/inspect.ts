import { concernOf } from '@hyper2kvm/contracts';
import type { Appliance } from './appliance.js';
import { unlock, type BlockDevice, type Unlocked } from './devices/index.js';
import type { GuestFacts } from './facts.js';
import { closedVolumes, commonFacts, type Inspected, type InspectOptions } from './inspected.js';
import { inspectLinux } from './linux.js';
import { mountAll } from './mounts/index.js';
import { operatingSystems, parseProbe, probeScript, type Candidate, type Probed } from './roots/index.js';
import { chooseSystem, describeRoot } from './select.js';
import { windowsFacts } from './system/index.js';

/**
 * Opens what is encrypted, finds the operating system, mounts its file systems as its own fstab does (nothing else) and
 * says what it is. Done once per job. libguestfs's inspect-os takes 12 s for it without KVM, these calls one or two.
 * @throws JobError GUEST_NO_OS, GUEST_MULTIPLE_OS, GUEST_ENCRYPTED, GUEST_CORRUPT
 */
export async function inspect(appliance: Appliance, options: InspectOptions): Promise<Inspected> {
  const unlocked = await unlock(appliance, options.diskCount, appliance.keyDisk);
  const probed = await probe(appliance, unlocked.devices);
  const system = await chooseSystem(appliance, probed, unlocked, options);
  if (system === undefined || 'facts' in system) return withoutMounts(appliance, system, probed, unlocked, options);
  return system.root.kind === 'windows'
    ? inspectWindows(appliance, system.root, unlocked, options)
    : inspectLinux(appliance, system.root, probed, unlocked, options);
}

async function probe(appliance: Appliance, devices: readonly BlockDevice[]): Promise<Probed> {
  const script = probeScript(devices);
  return script === undefined
    ? { candidates: [], subvolumes: new Map(), failures: [] }
    : parseProbe(await appliance.script(script, PROBE_LIMIT_MS), devices);
}

/** Journals of large file systems are replayed then. */
const PROBE_LIMIT_MS = 600_000;

async function withoutMounts(
  appliance: Appliance,
  system: { readonly facts: Partial<GuestFacts> } | undefined,
  probed: Probed,
  unlocked: Unlocked,
  options: InspectOptions,
): Promise<Inspected> {
  const found: string[] = [];
  for (const each of options.noOs ? operatingSystems(probed, unlocked.devices) : [])
    found.push(await describeRoot(appliance, each));
  const guest: GuestFacts = {
    root: '',
    type: 'none',
    distro: 'none',
    product: 'no operating system',
    version: { major: 0, minor: 0 },
    arch: 'unknown',
    packageFormat: 'unknown',
    init: 'unknown',
    ...system?.facts,
    ...commonFacts(unlocked, [], options),
  };
  const left = found.map((each) =>
    concernOf(
      'GUEST_UNKNOWN',
      `the disks hold ${each}, which is left as it is, as for a VM without an operating system`,
    ),
  );
  return { guest, concerns: left };
}

async function inspectWindows(
  appliance: Appliance,
  { device }: Candidate,
  unlocked: Unlocked,
  options: InspectOptions,
): Promise<Inspected> {
  // A volume that Windows sleeps on can only be read.
  const mount = { path: '/', device, mountable: device, options: 'ro', required: true };
  await mountAll(appliance, [mount]);
  const guest = {
    root: device,
    ...(await windowsFacts(appliance)),
    ...commonFacts(unlocked, [{ path: '/', device, mountable: device }], options),
  };
  return { guest, concerns: closedVolumes(unlocked) };
}
