import type { Disk, OvaSource } from '@hyper2kvm/contracts';
import { MAX_MANIFEST_BYTES, parseManifest } from './archive/manifest.js';
import { openPackage, type OvfPackage, type Place } from './archive/package.js';
import { lookAtDisk, lookAtStream, type DiskFile, type Looking } from './disk-file.js';
import { invalid } from './failures.js';
import { parseChecksum, verifyDigest, type ExpectedDigest } from './files/digest.js';
import type { FileIdentity } from './files/identity.js';
import { SourceFile, type ByteSource } from './files/source-file.js';
import { isStreamDigest, neededBytes, type LocalDisk, type LocalMachine, type Verification } from './local-machine.js';
import { parseOvf, type Ovf, type OvfDisk } from './ovf/descriptor.js';
import { MAX_OVF_BYTES } from './ovf/xml.js';
import { sniff } from './sniff.js';
import { blankImage } from './qemu.js';

/** The machine of an OVA, or of an OVF descriptor with its files beside it. @throws JobError */
export async function readOva(source: OvaSource, vmName: string | undefined, looking: Looking): Promise<LocalMachine> {
  return SourceFile.use(source.path, looking.allowed, async (file) => {
    const pack = await openPackage(file, looking.allowed);
    const manifest = await readManifest(pack);
    const ovf = await readDescriptor(pack, manifest.get(pack.descriptor), looking.signal);
    const disks: Found[] = [];
    for (const told of ovf.disks) disks.push(await findDisk(pack, told, disks.length + 1, manifest, looking));
    const files = new Map<string, FileIdentity>([[file.identity.path, file.identity]]);
    const verifications: Verification[] = [];
    const taken = new Set([pack.descriptor, ...disks.filter(({ inPass }) => inPass).map(({ told }) => told.file)]);
    for (const [name, digest] of manifest) {
      const { identity, offset, sizeBytes } = await pack.use(name, async (_, place) => place);
      files.set(identity.path, identity);
      if (taken.has(name)) continue;
      verifications.push({ path: identity.path, name: pack.nameOf(name), offset, length: sizeBytes, digest });
    }
    if (source.checksum !== undefined) {
      const { path, sizeBytes } = file.identity;
      const digest = parseChecksum(source.checksum);
      verifications.unshift({ path, name: source.path, offset: 0, length: sizeBytes, digest });
    }
    return {
      ...toMachine(ovf, vmName, disks),
      files: [...files.values()],
      verifications,
      concerns: [...pack.concerns, ...unverified(pack, manifest, disks), ...ovf.concerns, ...diskConcerns(ovf, disks)],
    };
  });
}

interface Found {
  readonly told: OvfDisk;
  readonly disk: LocalDisk;
  readonly look: DiskFile;
  /** Its digest is compared while it is read. */
  readonly inPass: boolean;
}

async function readManifest(pack: OvfPackage): Promise<Map<string, ExpectedDigest>> {
  const { manifest } = pack;
  if (manifest === undefined) return new Map();
  const text = await pack.use(manifest, (bytes) => readAll(bytes, MAX_MANIFEST_BYTES));
  return parseManifest(pack.nameOf(manifest), text.toString('utf8'));
}

async function readDescriptor(pack: OvfPackage, digest: ExpectedDigest | undefined, signal: AbortSignal): Promise<Ovf> {
  const bytes = await pack.use(pack.descriptor, async (file) => {
    const all = await readAll(file, MAX_OVF_BYTES);
    if (digest !== undefined) await verifyDigest(file, digest, signal);
    return all;
  });
  const ovf = parseOvf(pack.nameOf(pack.descriptor), bytes);
  if (ovf.disks.length === 0) throw invalid(pack.nameOf(pack.descriptor), 'describes a VM without disks');
  return ovf;
}

async function readAll(file: ByteSource, limit: number): Promise<Buffer> {
  if (file.sizeBytes > limit) throw invalid(file.name, `is longer than ${limit / 2 ** 20} MiB`);
  return file.read(0, file.sizeBytes);
}

async function findDisk(
  pack: OvfPackage,
  told: OvfDisk,
  index: number,
  manifest: ReadonlyMap<string, ExpectedDigest>,
  looking: Looking,
): Promise<Found> {
  const { file } = told;
  if (file === undefined) return blankDisk(told, index);
  const look = await pack.use(file, (bytes, place, opened) => lookAt(pack, told, { bytes, place, opened }, looking));
  const digest = manifest.get(file);
  const inPass = digest !== undefined && look.content.kind === 'stream' && isStreamDigest(digest);
  const { capacityBytes, content, files } = look;
  return { told, look, inPass, disk: { index, capacityBytes, content, files, expected: inPass ? [digest] : [] } };
}

async function lookAt(
  pack: OvfPackage,
  { fileBytes }: OvfDisk,
  { bytes, place, opened }: { bytes: ByteSource; place: Place; opened: SourceFile },
  looking: Looking,
): Promise<DiskFile> {
  if (fileBytes !== undefined && fileBytes !== bytes.sizeBytes)
    throw invalid(bytes.name, `has ${bytes.sizeBytes} bytes, and ${fileBytes} by the descriptor`);
  if (pack.kind === 'folder') return lookAtDisk(opened, undefined, looking);
  if ((await sniff(bytes)) !== 'vmdk')
    throw invalid(bytes.name, 'is no VMDK; unpack the OVA (tar -xf) and give its .ovf file');
  return lookAtStream(bytes, place);
}

function blankDisk(told: OvfDisk, index: number): Found {
  const capacityBytes = told.capacityBytes ?? 0;
  const content = { kind: 'image', image: blankImage(capacityBytes) } as const;
  const look: DiskFile = { capacityBytes, usedBytes: 0, content, files: [], firmware: 'bios', concerns: [] };
  return { told, look, inPass: false, disk: { index, capacityBytes, content, files: [], expected: [] } };
}

function toMachine(
  ovf: Ovf,
  vmName: string | undefined,
  found: readonly Found[],
): Pick<LocalMachine, 'machine' | 'disks' | 'neededBytes'> {
  const disks = found.map(({ told, disk, look }): Disk => {
    const used = told.populatedBytes ?? look.usedBytes;
    return {
      index: disk.index,
      name: told.file ?? `disk${disk.index}`,
      capacity_bytes: disk.capacityBytes,
      ...(used === undefined ? {} : { used_bytes: Math.min(used, disk.capacityBytes) }),
      ...(told.controller === undefined ? {} : { controller: told.controller }),
    };
  });
  return {
    machine: {
      ...ovf.machine,
      name: vmName ?? ovf.machine.name,
      firmware: ovf.machine.firmware ?? found[0]?.look.firmware ?? 'bios',
      disks,
    },
    disks: found.map(({ disk }) => disk),
    neededBytes: found.reduce((sum, { look, told }) => sum + (told.populatedBytes ?? neededBytes(look)), 0),
  };
}

function unverified(
  pack: OvfPackage,
  manifest: ReadonlyMap<string, ExpectedDigest>,
  disks: readonly Found[],
): string[] {
  if (pack.manifest === undefined) return ['the OVF has no manifest: its files could not be compared with checksums'];
  const names = [pack.descriptor, ...disks.map(({ told }) => told.file)].filter((name) => name !== undefined);
  return [
    ...names.filter((name) => !manifest.has(name)).map((name) => `the manifest has no checksum for ${name}`),
    ...(pack.signed ? ["the OVF's signature was not checked, only its manifest"] : []),
  ];
}

function diskConcerns(ovf: Ovf, disks: readonly Found[]): string[] {
  const firmware =
    ovf.machine.firmware === undefined
      ? [`the OVF tells no firmware: ${disks[0]?.look.firmware ?? 'bios'} is assumed, as the first disk looks like it`]
      : [];
  return [
    ...firmware,
    ...disks.flatMap(({ told, disk, look }) => [
      ...look.concerns,
      ...(told.file === undefined ? [`disk ${disk.index} has no file: it is made empty`] : []),
      ...(told.capacityBytes === undefined || told.capacityBytes === disk.capacityBytes
        ? []
        : [`${told.file} holds ${disk.capacityBytes} bytes, and ${told.capacityBytes} by the OVF: the file counts`]),
    ]),
  ];
}
