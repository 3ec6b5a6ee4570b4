import { concernOf, JobError } from '@hyper2kvm/contracts';
import type { Appliance } from './appliance.js';
import {
  describeClosed,
  parseMdadmConf,
  renameVolumes,
  resolveDevice,
  type Naming,
  type Unlocked,
} from './devices/index.js';
import type { Mountpoint } from './facts.js';
import { closedVolumes, commonFacts, type Inspected, type InspectOptions } from './inspected.js';
import { findUnlistedEsp, mountAll, parseCrypttab, parseFstab, planMounts, type MissingMount } from './mounts/index.js';
import type { Candidate, Probed } from './roots/index.js';
import { linuxFacts } from './system/index.js';

/**
 * Mounts what the fstab of a root mounts.
 * @throws JobError GUEST_CORRUPT where something that is needed is missing, GUEST_ENCRYPTED where it is locked
 */
export async function inspectLinux(
  appliance: Appliance,
  found: Candidate,
  probed: Probed,
  before: Unlocked,
  options: InspectOptions,
): Promise<Inspected> {
  const { subvolumes: known } = probed;
  const onlyRoot = planMounts({ root: found, fstab: [], naming: namingOf(before), subvolumes: known });
  await mountAll(appliance, onlyRoot.mounts);
  const tables = await readTables(appliance);
  await appliance.call(['umount-all']);

  const names = volumeNames(tables.crypttab, namingOf(before));
  const unlocked = await renameVolumes(appliance, options.diskCount, before, names);
  const rename = renaming(before, unlocked);
  const root = { ...found, device: rename(found.device) };
  const subvolumes = new Map([...known].map(([device, each]) => [rename(device), each]));
  const naming = {
    ...namingOf(unlocked),
    arrays: tables.arrays,
    mapped: new Map(
      [...names].flatMap(([device, name]): [string, string][] => {
        const volume = unlocked.opened.find((each) => each.device === device);
        return volume === undefined ? [] : [[name, volume.mapped]];
      }),
    ),
  };
  const { mounts, missing } = planMounts({ root, fstab: tables.fstab, naming, subvolumes });
  assertComplete(missing, unlocked, names, options);
  const failed = await mountAll(appliance, mounts);
  const esp = await findUnlistedEsp(appliance, unlocked.devices, mounts);
  if (esp !== undefined) failed.push(...(await mountAll(appliance, [esp])));
  const mounted = [...mounts, ...(esp === undefined ? [] : [esp])].filter((each) => !failed.includes(each));
  return {
    guest: {
      root: root.device,
      ...(await linuxFacts(appliance)),
      ...commonFacts(unlocked, mounted.map(plain), options),
    },
    concerns: [
      ...missing.map(({ path, spec }) =>
        concernOf('MOUNT_MISSING', `the guest mounts ${path} from ${spec}, which is on none of the disks`),
      ),
      ...failed.map(({ path, device }) =>
        concernOf('MOUNT_MISSING', `${path} of the guest (${device}) could not be mounted: nothing there is changed`),
      ),
      ...closedVolumes(unlocked),
    ],
  };
}

const plain = ({ path, device, mountable }: Mountpoint): Mountpoint => ({ path, device, mountable });

const namingOf = ({ devices }: Unlocked): Naming => ({
  devices,
  mapped: new Map(),
  arrays: new Map(),
});

async function readTables(appliance: Appliance) {
  const text = async (file: string): Promise<string> => (await appliance.readText(file)) ?? '';
  const there = new Set(
    await appliance.glob(['/etc/fstab', '/etc/crypttab', '/etc/mdadm.conf', '/etc/mdadm/mdadm.conf']),
  );
  const read = async (...files: readonly string[]): Promise<string> => {
    const file = files.find((each) => there.has(each));
    return file === undefined ? '' : text(file);
  };
  return {
    fstab: parseFstab(await read('/etc/fstab')),
    crypttab: parseCrypttab(await read('/etc/crypttab')),
    arrays: parseMdadmConf(await read('/etc/mdadm/mdadm.conf', '/etc/mdadm.conf')),
  };
}

/** Name in the crypttab by the device of the volume. */
function volumeNames(crypttab: ReturnType<typeof parseCrypttab>, naming: Naming): Map<string, string> {
  const names = new Map<string, string>();
  for (const { name, spec } of crypttab) {
    const volume = resolveDevice(spec, naming, ({ type }) => type === 'crypto_LUKS');
    if (volume !== undefined && !names.has(volume.device)) names.set(volume.device, name);
  }
  return names;
}

/** The name of a device after its LUKS volumes were renamed. */
function renaming(before: Unlocked, after: Unlocked): (device: string) => string {
  const kernels = new Map(before.devices.map(({ device, kernel }) => [device, kernel]));
  return (device) => after.devices.find(({ kernel }) => kernel === kernels.get(device))?.device ?? device;
}

/** @throws JobError GUEST_ENCRYPTED, GUEST_CORRUPT */
function assertComplete(
  missing: readonly MissingMount[],
  { closed }: Unlocked,
  names: ReadonlyMap<string, string>,
  { diskCount }: InspectOptions,
): void {
  const [gone] = missing.filter(({ required }) => required);
  if (gone === undefined) return;
  const wanted = `the guest mounts ${gone.path} from ${gone.spec}`;
  const locked = closed.filter(({ kind }) => kind === 'LUKS');
  const behind = locked.find(({ device }) => gone.spec === `/dev/mapper/${names.get(device)}`);
  const suspects = behind === undefined ? locked : [behind];
  if (suspects.length > 0)
    throw new JobError('GUEST_ENCRYPTED', `${wanted}; ${suspects.map(describeClosed).join('; ')}`);
  const where = diskCount === 1 ? 'which is not on its disk' : `which is on none of its ${diskCount} disks`;
  throw new JobError('GUEST_CORRUPT', `${wanted}, ${where}: is a disk of the VM missing?`);
}
