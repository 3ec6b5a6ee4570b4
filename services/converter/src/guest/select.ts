/** The one operating system that is converted, or why there is none. */
import { JobError } from '@hyper2kvm/contracts';
import type { Appliance } from './appliance.js';
import { describeClosed, type Unlocked } from './devices/index.js';
import type { InspectOptions } from './inspected.js';
import { mountAll } from './mounts/index.js';
import { findRoot, hasOthers, operatingSystems, rootName, type Candidate, type Probed } from './roots/index.js';
import { otherSystems, type OtherSystem, readRelease, windowsFacts } from './system/index.js';

type Chosen = { readonly root: Candidate } | { readonly facts: OtherSystem } | undefined;

/** @throws JobError GUEST_NO_OS, GUEST_MULTIPLE_OS, GUEST_ENCRYPTED, GUEST_CORRUPT */
export async function chooseSystem(
  appliance: Appliance,
  probed: Probed,
  unlocked: Unlocked,
  options: InspectOptions,
): Promise<Chosen> {
  if (options.noOs) return undefined;
  const systems = operatingSystems(probed, unlocked.devices);
  if (options.root !== undefined) return { root: await chosen(appliance, options.root, systems, unlocked) };
  const [root] = systems;
  if (root === undefined) return otherwise(appliance, probed, unlocked);
  if (systems.length === 1) return { root };
  const listed = await describeAll(appliance, systems);
  throw new JobError('GUEST_MULTIPLE_OS', `the VM holds ${systems.length} operating systems: ${listed}`);
}

async function chosen(
  appliance: Appliance,
  wanted: string,
  systems: readonly Candidate[],
  { devices, closed }: Unlocked,
): Promise<Candidate> {
  const root = findRoot(wanted, systems, devices);
  if (root !== undefined) return root;
  const locked = closed.find(({ device }) => device === wanted);
  if (locked !== undefined) throw new JobError('GUEST_ENCRYPTED', describeClosed(locked));
  const listed = systems.length === 0 ? 'none was found' : `found: ${await describeAll(appliance, systems)}`;
  throw new JobError('GUEST_NO_OS', `there is no operating system on ${wanted}; ${listed}`);
}

/** No Linux and no Windows that can be read. */
async function otherwise(
  appliance: Appliance,
  { failures }: Probed,
  { devices, closed }: Unlocked,
): Promise<{ readonly facts: OtherSystem }> {
  if (closed.length > 0) throw new JobError('GUEST_ENCRYPTED', closed.map(describeClosed).join('; '));
  const others = hasOthers(devices) ? await otherSystems(appliance) : [];
  const [facts] = others;
  if (others.length > 1) {
    const listed = others.map(({ product, root }) => `${product} on ${root}`).join('; ');
    throw new JobError('GUEST_MULTIPLE_OS', `the VM holds ${others.length} operating systems: ${listed}`);
  }
  if (facts !== undefined) return { facts };
  const [failure] = failures;
  if (failure !== undefined)
    throw new JobError('GUEST_CORRUPT', `${failure.device} of the guest cannot be mounted: ${failure.reason}`);
  throw new JobError('GUEST_NO_OS', 'no operating system was found on the disks of the VM');
}

async function describeAll(appliance: Appliance, systems: readonly Candidate[]): Promise<string> {
  const listed: string[] = [];
  for (const each of systems) listed.push(await describeRoot(appliance, each));
  return listed.join('; ');
}

/** `Debian GNU/Linux 12 (bookworm) on /dev/sda1`. Nothing is mounted before and after. */
export async function describeRoot(appliance: Appliance, root: Candidate): Promise<string> {
  const { device, subvolume } = root;
  const options = subvolume === undefined ? 'ro' : `ro,subvolid=${subvolume.id}`;
  await mountAll(appliance, [{ path: '/', device, mountable: device, options, required: true }]);
  const { product } = root.kind === 'windows' ? await windowsFacts(appliance) : await readRelease(appliance);
  await appliance.call(['umount-all']);
  return `${product} on ${rootName(root)}`;
}
