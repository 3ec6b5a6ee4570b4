/** Disks and OVAs as others make them, and an export of them without a service around it. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  JobError,
  SEGMENT_BYTES,
  type DisksSource,
  type ErrorCode,
  type Machine,
  type OvaSource,
} from '@hyper2kvm/contracts';
import { createLocalSource, transferAndVerify, type TransferResult } from '@hyper2kvm/exporter';
import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
import { execa } from 'execa';

const MIB = 2 ** 20;
/** Size of the disk that refused files are made from. */
export const MATERIAL_MIB = 24;

export interface Bench {
  readonly root: string;
  /** Beneath it files may be given. */
  readonly images: string;
  /** What exports work in. */
  readonly work: string;
  remove(): Promise<void>;
}

export async function makeBench(): Promise<Bench> {
  const root = await mkdtemp(path.join(tmpdir(), 'h2k-local-'));
  const [images, work] = [path.join(root, 'images'), path.join(root, 'work')];
  await Promise.all([mkdir(images), mkdir(work)]);
  return { root, images, work, remove: () => rm(root, { recursive: true, force: true }) };
}

/** A sparse raw disk with text, noise, zeros that are stored, and data at its very end. */
export async function makeRaw(file: string, bytes: number, seed = 1): Promise<string> {
  const handle = await open(file, 'w');
  try {
    await handle.truncate(bytes);
    await handle.write(Buffer.alloc(MIB, `some text of disk ${seed}; `), 0, MIB, 0);
    await handle.write(noise(3 * MIB + 512, seed), 0, 3 * MIB + 512, 2 * MIB + 512 * 3);
    await handle.write(Buffer.alloc(MIB), 0, MIB, 9 * MIB);
    await handle.write(noise(512, seed + 1), 0, 512, bytes - 512);
  } finally {
    await handle.close();
  }
  return file;
}

/** The same bytes for the same seed, which do not compress. */
function noise(length: number, seed: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** @param options as `qemu-img convert -o` takes them */
export async function convert(raw: string, format: string, file: string, options?: string): Promise<string> {
  const more = options === undefined ? [] : ['-o', options];
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', format, ...more, raw, file]);
  return file;
}

export interface Exported {
  readonly machine: Machine;
  readonly concerns: readonly string[];
  readonly results: readonly (TransferResult & { path: string })[];
}

export type Given = { path: string; format?: 'vmdk' | 'vhd' | 'vhdx' | 'qcow2' | 'raw'; checksum?: string };

export const disks = (...given: (string | Given)[]): DisksSource => ({
  kind: 'disks',
  disks: given.map((one) => (typeof one === 'string' ? { path: one } : one)),
});

export const ova = (file: string, checksum?: string): OvaSource => ({
  kind: 'ova',
  path: file,
  ...(checksum === undefined ? {} : { checksum }),
});

const children = { spawn: spawnGuarded, run: runGuarded };

function openLocal(
  bench: Bench,
  source: DisksSource | OvaSource,
  { roots = [bench.images], vmName }: { roots?: string[]; vmName?: string },
  signal: AbortSignal,
) {
  return createLocalSource(source, { allowedRoots: roots, workDir: bench.work, vmName, signal, children });
}

export async function describeOnly(bench: Bench, source: DisksSource | OvaSource) {
  const local = openLocal(bench, source, {}, new AbortController().signal);
  try {
    return await local.describe();
  } finally {
    await local.close();
  }
}

/** Brings all disks, one after another, as the export's stages do it. @throws JobError */
export async function bring(
  bench: Bench,
  source: DisksSource | OvaSource,
  options: { roots?: string[]; vmName?: string; duringDisk?: () => Promise<void> } = {},
): Promise<Exported> {
  const stop = new AbortController();
  const local = openLocal(bench, source, options, stop.signal);
  const { machine, concerns } = await local.describe();
  const prepared = await local.prepare('auto');
  try {
    const results: (TransferResult & { path: string })[] = [];
    for (const disk of machine.disks) {
      const plan = { index: disk.index, name: disk.name, capacityBytes: disk.capacity_bytes };
      const file = path.join(bench.work, `disk${disk.index}.qcow2`);
      await rm(file, { force: true });
      const access = await prepared.access(plan, 0);
      try {
        await options.duringDisk?.();
        const result = await transferAndVerify({
          task: {
            input: access.input,
            path: file,
            capacityBytes: plan.capacityBytes,
            segmentBytes: SEGMENT_BYTES,
            stallTimeoutMs: 30_000,
            bytesPerSecond: null,
            digests: access.digests ?? [],
          },
          socketPath: path.join(bench.work, 'back.nbd'),
          children,
          signal: stop.signal,
          readBack: true,
          progress: () => {},
        });
        for (const [name, digest] of Object.entries((await prepared.digestsOf?.(plan)) ?? {}))
          if (result.digests[name as 'sha256'] !== digest)
            throw new JobError('SOURCE_CHECKSUM', `${disk.name} differs from its ${name}`);
        results.push({ ...result, path: file });
      } finally {
        await access.close?.();
      }
    }
    await prepared.complete();
    return { machine, concerns, results };
  } finally {
    await prepared.close();
    await local.cleanup();
    await local.close();
  }
}

/** The refusal, and nothing left of the attempt but an image without a header. */
export async function refusal(bench: Bench, ...args: Parameters<typeof bring> extends [Bench, ...infer R] ? R : never) {
  const error: unknown = await bring(bench, ...args).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`);
  if (error.message.includes('\n')) throw new Error(`more than a line: ${error.message}`);
  return error;
}

/** Files in the work folder that are no finished or given-up image. */
export async function leftovers(bench: Bench): Promise<string[]> {
  return (await readdir(bench.work)).filter((name) => !/^disk\d+\.qcow2$/.test(name));
}

/** Throws with QEMU's words when they differ. A longer end of zeros is no difference. */
export async function sameContent(raw: string, qcow2: string): Promise<void> {
  await execa('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', raw, qcow2]);
}

export async function digestOf(file: string, algorithm: string): Promise<string> {
  return createHash(algorithm)
    .update(await readFile(file))
    .digest('hex');
}

export interface OvfOptions {
  readonly name?: string;
  readonly disks: readonly {
    file?: string;
    bytes?: number;
    capacityMib: number;
    attributes?: string;
    diskAttributes?: string;
  }[];
  /** Into VirtualHardwareSection. */
  readonly more?: string;
}

/** As ovftool writes it: disks in the reverse of the controllers' order, so that the order has to be looked for. */
export function ovfText({ name = 'web-01', disks: given, more = '' }: OvfOptions): string {
  const files = given.map(({ file, bytes, attributes = '' }, at) =>
    file === undefined
      ? ''
      : `<File ovf:href="${file}" ovf:id="file${at}" ${bytes === undefined ? '' : `ovf:size="${bytes}"`} ${attributes}/>`,
  );
  const sections = given.map(
    ({ file, capacityMib, diskAttributes = '' }, at) =>
      `<Disk ovf:capacity="${capacityMib}" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="vmdisk${at}" ${
        file === undefined ? '' : `ovf:fileRef="file${at}"`
      } ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized" ${diskAttributes}/>`,
  );
  const items = given.map(
    (
      _,
      at,
    ) => `<Item><rasd:AddressOnParent>${at}</rasd:AddressOnParent><rasd:ElementName>Hard Disk ${at + 1}</rasd:ElementName>
      <rasd:HostResource>ovf:/disk/vmdisk${at}</rasd:HostResource><rasd:InstanceID>${20 + at}</rasd:InstanceID>
      <rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>${files.join('')}</References>
  <DiskSection><Info>Disks</Info>${sections.toReversed().join('')}</DiskSection>
  <NetworkSection><Info>Networks</Info><Network ovf:name="VM Network"/></NetworkSection>
  <VirtualSystem ovf:id="${name}"><Info>A VM</Info><Name>${name}</Name>
    <OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest"><Info/><Description>Debian 12 &amp; friends</Description></OperatingSystemSection>
    <VirtualHardwareSection><Info>Hardware</Info>
      <Item><rasd:ElementName>4 CPUs</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>4</rasd:VirtualQuantity><vmw:CoresPerSocket ovf:required="false">2</vmw:CoresPerSocket></Item>
      <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>3072</rasd:VirtualQuantity></Item>
      <Item><rasd:Address>0</rasd:Address><rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType><rasd:ResourceType>6</rasd:ResourceType></Item>
      <Item><rasd:AddressOnParent>7</rasd:AddressOnParent><rasd:Connection>VM Network</rasd:Connection>
        <rasd:ElementName>Ethernet 1</rasd:ElementName><rasd:InstanceID>4</rasd:InstanceID>
        <rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
      ${items.toReversed().join('')}
      ${more}
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}

/** Writes an OVF folder with its manifest. Returns the names in the order in which an OVA has them. */
export async function writeOvf(
  folder: string,
  name: string,
  options: OvfOptions,
  manifest: 'sha1' | 'sha256' | 'sha512' | undefined,
): Promise<string[]> {
  const names = [`${name}.ovf`, ...options.disks.flatMap(({ file }) => (file === undefined ? [] : [file]))];
  await writeFile(path.join(folder, `${name}.ovf`), ovfText(options));
  if (manifest === undefined) return names;
  const lines: string[] = [];
  for (const file of names)
    lines.push(`${manifest.toUpperCase()}(${file})= ${await digestOf(path.join(folder, file), manifest)}\n`);
  await writeFile(path.join(folder, `${name}.mf`), lines.join(''));
  return [names[0] ?? '', `${name}.mf`, ...names.slice(1)];
}

export async function tar(folder: string, names: readonly string[], file: string, format = 'ustar'): Promise<string> {
  await execa('tar', ['-C', folder, `--format=${format}`, '-cf', file, ...names]);
  return file;
}

/** What files that are refused are made from: a disk, its stream, and the same outside of the allowed folder. */
export async function makeMaterial(): Promise<{ bench: Bench; raw: string; outside: string; stream: string }> {
  const bench = await makeBench();
  const raw = await makeRaw(path.join(bench.images, 'disk.raw'), MATERIAL_MIB * MIB);
  const outside = await convert(raw, 'qcow2', path.join(bench.root, 'outside.qcow2'));
  const stream = await convert(raw, 'vmdk', path.join(bench.images, 'stream.vmdk'), 'subformat=streamOptimized');
  return { bench, raw, outside, stream };
}

/** After a refusal: no socket, no process. Throws otherwise. */
export async function assertNothingLeft(bench: Bench): Promise<void> {
  const files = await leftovers(bench);
  if (files.length > 0) throw new Error(`left behind: ${files.join(', ')}`);
  const { stdout } = await execa('pgrep', ['-af', `qemu.*${bench.root}`], { reject: false });
  if (stdout !== '') throw new Error(`still running: ${stdout}`);
}

export async function poke(file: string, at: number, bytes: Buffer): Promise<string> {
  const handle = await open(file, 'r+');
  try {
    await handle.write(bytes, 0, bytes.length, at);
  } finally {
    await handle.close();
  }
  return file;
}

/** What is refused, with what code and words. */
export type Refused = [what: string, code: ErrorCode, says: RegExp, make: () => Promise<DisksSource | OvaSource>];
