import type { ImageFormat } from '@hyper2kvm/contracts';
import type { Children } from '../../transfer/index.js';
import { VmdkError, firstGrain, readStreamHeader } from '../../vmdk/index.js';
import { invalid } from './failures.js';
import type { AllowedRoots } from './files/allowed.js';
import type { FileIdentity } from './files/identity.js';
import type { ByteSource, SourceFile } from './files/source-file.js';
import { firmwareOf } from './firmware.js';
import { readQcow2 } from './headers/qcow2.js';
import { readVhd } from './headers/vhd.js';
import { readVhdx } from './headers/vhdx.js';
import { readDescribed } from './headers/vmdk-flat.js';
import { readSparse } from './headers/vmdk-sparse.js';
import { imageHead, imageInfo, qemuImage, type QemuImage } from './qemu.js';
import { formatOf } from './sniff.js';

/** How the content of a disk is read. */
export type DiskContent =
  | { readonly kind: 'stream'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'image'; readonly image: QemuImage };

/** A disk that was looked at, and refers to nothing that was not given. */
export interface DiskFile {
  readonly capacityBytes: number;
  readonly usedBytes: number | undefined;
  readonly content: DiskContent;
  /** All that it consists of. */
  readonly files: readonly FileIdentity[];
  readonly firmware: 'bios' | 'efi';
  readonly concerns: readonly string[];
}

export interface Looking {
  readonly allowed: AllowedRoots;
  readonly children: Children;
  readonly signal: AbortSignal;
}

/** @throws JobError SOURCE_INVALID, PATH_DENIED */
export async function lookAtDisk(file: SourceFile, said: ImageFormat | undefined, looking: Looking): Promise<DiskFile> {
  const format = await formatOf(file, said);
  switch (format) {
    case 'vmdk':
      return lookAtVmdk(file, looking);
    case 'qcow2':
      return lookThroughQemu(file, format, await readQcow2(file), looking);
    case 'vhd':
      return lookThroughQemu(file, format, await readVhd(file), looking);
    case 'vhdx':
      return lookThroughQemu(file, format, await readVhdx(file), looking);
    case 'raw':
      return lookThroughQemu(
        file,
        format,
        { capacityBytes: wholeSectors(file.sizeBytes), concerns: padded(file) },
        looking,
      );
  }
}

/** A streamOptimized VMDK, in a file of its own or as a part of one. @throws JobError SOURCE_INVALID */
export async function lookAtStream(
  stream: ByteSource,
  place: { identity: FileIdentity; offset: number },
): Promise<DiskFile> {
  try {
    await readSparse(stream, 'disk');
    const { capacityBytes } = await readStreamHeader(stream);
    const head = await firstGrain(stream);
    return {
      capacityBytes,
      usedBytes: undefined,
      content: { kind: 'stream', path: place.identity.path, offset: place.offset, length: stream.sizeBytes },
      files: [place.identity],
      firmware: head === undefined ? 'bios' : firmwareOf(head),
      concerns: [],
    };
  } catch (error) {
    throw error instanceof VmdkError ? invalid(stream.name, `is no VMDK that can be read: ${error.message}`) : error;
  }
}

async function lookAtVmdk(file: SourceFile, looking: Looking): Promise<DiskFile> {
  const magic = (await file.read(0, Math.min(4, file.sizeBytes))).toString('latin1');
  if (magic === 'COWD')
    throw invalid(file.name, 'is a snapshot of ESX, which holds only changes; give the consolidated disk');
  if (magic === 'KDMV') {
    const { streamOptimized, capacityBytes } = await readSparse(file, 'disk');
    if (streamOptimized) return lookAtStream(file, { identity: file.identity, offset: 0 });
    return lookThroughQemu(file, 'vmdk', { capacityBytes, concerns: [] }, looking);
  }
  return lookThroughQemu(file, 'vmdk', await readDescribed(file, looking.allowed), looking);
}

async function lookThroughQemu(
  file: SourceFile,
  format: ImageFormat,
  facts: { capacityBytes: number; concerns: readonly string[]; extents?: readonly FileIdentity[] },
  { allowed, children, signal }: Looking,
): Promise<DiskFile> {
  const image = qemuImage(file.identity.path, format);
  const info = await imageInfo(children, image, signal);
  if (info.capacityBytes !== facts.capacityBytes)
    throw invalid(
      file.name,
      `holds ${facts.capacityBytes} bytes by its header, and ${info.capacityBytes} as QEMU reads it`,
    );
  const files = [file.identity, ...(facts.extents ?? [])];
  if (facts.extents !== undefined)
    for (const extent of info.extents) {
      const path = await allowed.resolve(extent);
      if (!files.some((known) => known.path === path))
        throw invalid(file.name, `leads QEMU to ${extent}, which its descriptor does not name`);
    }
  return {
    capacityBytes: info.capacityBytes,
    usedBytes: info.usedBytes === undefined ? undefined : Math.min(info.usedBytes, info.capacityBytes),
    content: { kind: 'image', image },
    files,
    firmware: firmwareOf(await imageHead(children, image, info.capacityBytes, signal)),
    concerns: facts.concerns,
  };
}

const wholeSectors = (bytes: number): number => Math.ceil(bytes / 512) * 512;

const padded = (file: ByteSource): string[] =>
  file.sizeBytes % 512 === 0 ? [] : [`${file.name} ends within a sector: the rest of it is taken as zeros`];
