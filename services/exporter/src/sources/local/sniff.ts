import path from 'node:path';
import type { ImageFormat } from '@hyper2kvm/contracts';
import { invalid } from './failures.js';
import type { ByteSource } from './files/source-file.js';

const HEAD_BYTES = 512;
const RAW_SUFFIXES = new Set(['.raw', '.img', '.dd']);

/** @returns undefined for content without a mark of its own, as that of a raw disk has none */
export async function sniff(file: ByteSource): Promise<Exclude<ImageFormat, 'raw'> | undefined> {
  const head = await file.read(0, Math.min(HEAD_BYTES, file.sizeBytes));
  const begins = (mark: string): boolean => head.subarray(0, mark.length).toString('latin1') === mark;
  if (begins('KDMV') || begins('COWD') || begins('# Disk DescriptorFile')) return 'vmdk';
  if (begins('QFI\u00FB')) return 'qcow2';
  if (begins('vhdxfile')) return 'vhdx';
  if (begins('conectix')) return 'vhd';
  if (file.sizeBytes < HEAD_BYTES) return undefined;
  // A fixed VHD is a raw disk with a footer.
  const foot = await file.read(file.sizeBytes - HEAD_BYTES, 8);
  return foot.toString('latin1') === 'conectix' ? 'vhd' : undefined;
}

/**
 * The format of a disk: by its content, or as it was said. Raw only by name or by being said: any file could pass for it.
 * @throws JobError SOURCE_INVALID
 */
export async function formatOf(file: ByteSource, said: ImageFormat | undefined): Promise<ImageFormat> {
  if (said === 'raw') return 'raw';
  const found = await sniff(file);
  if (said !== undefined && found !== said)
    throw invalid(file.name, `is said to be ${said}, and ${found === undefined ? 'is not' : `looks like ${found}`}`);
  if (found !== undefined) return found;
  if (RAW_SUFFIXES.has(path.extname(file.name).toLowerCase())) return 'raw';
  const hint = /-flat\.vmdk$/i.test(file.name)
    ? "a flat extent comes with a descriptor: give that one, or say that the file's format is raw"
    : 'if it is a raw disk, say so or name it .raw';
  throw invalid(file.name, `is in no known disk format (VMDK, VHD, VHDX, qcow2); ${hint}`);
}
