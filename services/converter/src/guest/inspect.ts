import { concernOf, JobError, type Concern } from '@hyper2kvm/contracts';
import type { Appliance } from './appliance.js';
import {
  parseMdadmConf,
  renameVolumes,
  resolveDevice,
  unlock,
  type BlockDevice,
  type Naming,
  type Unlocked,
} from './devices/index.js';
import type { FileSystem, GuestFacts, Mountpoint } from './facts.js';
import { findUnlistedEsp, mountAll, parseCrypttab, parseFstab, planMounts, type MissingMount } from './mounts/index.js';
import { parseProbe, probeScript, type Candidate, type Probed } from './roots/index.js';
import { chooseSystem, describeClosed, describeRoot } from './select.js';
import { linuxFacts, windowsFacts } from './system/index.js';

export interface InspectOptions {
  /** Disks of the VM. */
  readonly diskCount: number;
  /** Device of the operating system to take where there are several. */
  readonly root: string | undefined;
  /** The VM holds data only, or is to be taken for such. */
  readonly noOs: boolean;
}

export interface Inspected {
  readonly guest: GuestFacts;
  readonly concerns: readonly Concern[];
}

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

/** What is the same of every guest. */
const common = (unlocked: Unlocked, mountpoints: readonly Mountpoint[], { diskCount }: InspectOptions) => ({
  mountpoints,
  fileSystems: unlocked.devices.flatMap(({ content }): FileSystem[] => (content === undefined ? [] : [content])),
  diskCount,
  luks: unlocked.opened,
});

async function withoutMounts(
  appliance: Appliance,
  system: { readonly facts: Partial<GuestFacts> } | undefined,
  probed: Probed,
  unlocked: Unlocked,
  options: InspectOptions,
): Promise<Inspected> {
  const found: string[] = [];
  if (options.noOs) for (const each of probed.candidates) found.push(await describeRoot(appliance, each));
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
    ...common(unlocked, [], options),
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
  const guest = { root: device, ...(await windowsFacts(appliance)), ...common(unlocked, [plain(mount)], options) };
  return { guest, concerns: closedVolumes(unlocked) };
}

async function inspectLinux(
  appliance: Appliance,
  found: Candidate,
  probed: Probed,
  before: Unlocked,
  options: InspectOptions,
): Promise<Inspected> {
  const { subvolumes: known } = probed;
  const onlyRoot = planMounts({ root: found, fstab: [], naming: namingOf(before, options), subvolumes: known });
  await mountAll(appliance, onlyRoot.mounts);
  const tables = await readTables(appliance);
  await appliance.call(['umount-all']);

  const names = volumeNames(tables.crypttab, namingOf(before, options));
  const unlocked = await renameVolumes(appliance, options.diskCount, before, names);
  const rename = renaming(before, unlocked);
  const root = { ...found, device: rename(found.device) };
  const subvolumes = new Map([...known].map(([device, each]) => [rename(device), each]));
  const naming = {
    ...namingOf(unlocked, options),
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
      ...common(unlocked, mounted.map(plain), options),
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

const namingOf = ({ devices }: Unlocked, { diskCount }: InspectOptions): Naming => ({
  devices,
  diskCount,
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

function closedVolumes({ closed }: Unlocked): Concern[] {
  return closed.map((each) => concernOf('VOLUME_LOCKED', `${describeClosed(each)}: it is left as it is`));
}
