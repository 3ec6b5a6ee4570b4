import { JobError, type ImageFormat } from '@hyper2kvm/contracts';
import { z } from 'zod';
import type { Children } from '../../transfer/index.js';
import { invalid } from './failures.js';

/** An image as QEMU is to open it, with nothing left for it to find out. */
export interface QemuImage {
  /** QEMU's name of the format. */
  readonly driver: 'raw' | 'vpc' | 'vhdx' | 'qcow2' | 'vmdk' | 'null-co';
  /** Takes the place of a file name (QEMU's `json:` pseudo-protocol). */
  readonly name: string;
  /** For messages. */
  readonly path: string;
}

/** A header may claim anything: what is looked at before it is trusted gets this much. Bytes of memory, seconds of CPU. */
const LIMITS = ['--as=2147483648', '--cpu=30'];
const TIMEOUT_MS = 30_000;
const HEAD_BYTES = 65_536;

const Info = z.object({
  'virtual-size': z.number().int().nonnegative(),
  'actual-size': z.number().int().nonnegative().optional(),
  'backing-filename': z.string().optional(),
  encrypted: z.boolean().optional(),
  'format-specific': z
    .object({ data: z.object({ extents: z.array(z.object({ filename: z.string() })).optional() }) })
    .optional(),
});

export interface ImageInfo {
  readonly capacityBytes: number;
  /** Bytes that the file itself takes. */
  readonly usedBytes: number | undefined;
  /** Of a VMDK: the files that its extents lie in. */
  readonly extents: readonly string[];
}

export function qemuImage(path: string, format: ImageFormat): QemuImage {
  const driver = format === 'vhd' ? 'vpc' : format;
  const options = {
    driver,
    // Were there a reference to another file that we did not see, it would not be followed.
    ...(driver === 'qcow2' || driver === 'vmdk' ? { backing: null } : {}),
    // Without it QEMU takes the size of some VHDs from their geometry, which is rounded down.
    ...(driver === 'vpc' ? { force_size_calc: 'current_size' } : {}),
    // This driver refuses what is no regular file.
    file: { driver: 'file', filename: path },
  };
  return { driver, name: `json:${JSON.stringify(options)}`, path };
}

/** A streamOptimized VMDK in a part of a file, as QEMU reads it. */
export function streamImage(path: string, offset: number, length: number): QemuImage {
  const piece = { driver: 'raw', offset, size: length, file: { driver: 'file', filename: path } };
  return { driver: 'vmdk', name: `json:${JSON.stringify({ driver: 'vmdk', backing: null, file: piece })}`, path };
}

/** A disk of zeros, without a file. */
export function blankImage(capacityBytes: number): QemuImage {
  const options = { driver: 'null-co', size: capacityBytes, 'read-zeroes': true };
  return { driver: 'null-co', name: `json:${JSON.stringify(options)}`, path: 'an empty disk' };
}

/** @throws JobError SOURCE_INVALID with what QEMU says */
export async function imageInfo(children: Children, image: QemuImage, signal: AbortSignal): Promise<ImageInfo> {
  const args = ['info', '--output=json', '-f', image.driver, image.name];
  const { stdout } = await limited(children, image, 'qemu-img', args, signal);
  const info = Info.parse(JSON.parse(stdout));
  if (info['backing-filename'] !== undefined) throw invalid(image.path, 'has a backing file');
  if (info.encrypted === true) throw invalid(image.path, 'is encrypted');
  return {
    capacityBytes: info['virtual-size'],
    usedBytes: info['actual-size'],
    extents: info['format-specific']?.data.extents?.map(({ filename }) => filename) ?? [],
  };
}

/** The first 64 KiB of the disk. @throws JobError SOURCE_INVALID */
export async function imageHead(
  children: Children,
  image: QemuImage,
  capacityBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const length = Math.min(HEAD_BYTES, capacityBytes);
  const args = ['-r', '-f', image.driver, '-c', `read -v 0 ${length}`, image.name];
  const { stdout } = await limited(children, image, 'qemu-io', args, signal);
  const lines = [...stdout.matchAll(/^[0-9a-f]{8,}: {2}((?:[0-9a-f]{2} ){1,16})/gm)];
  const head = Buffer.from(lines.map(([, hex = '']) => hex.replaceAll(' ', '')).join(''), 'hex');
  if (head.length !== length) throw invalid(image.path, 'cannot be read by QEMU');
  return head;
}

/** Looks for places beyond the file's end and the like; QEMU would read zeros there. @throws JobError SOURCE_INVALID */
export async function checkImage(children: Children, image: QemuImage, signal: AbortSignal): Promise<void> {
  // Others have nothing that it could check.
  if (image.driver === 'raw' || image.driver === 'vpc' || image.driver === 'null-co') return;
  const lines: string[] = [];
  const child = children.spawn('qemu-img', ['check', '-f', image.driver, image.name], {
    signal,
    onLine: (line) => void (lines.length < 50 && lines.push(line)),
  });
  const { code } = await child.exited;
  signal.throwIfAborted();
  // 3: clusters that nobody uses, which does no harm; 63: nothing to check in this kind of image.
  if (code === 0 || code === 3 || code === 63) return;
  const error = lines.find((line) => /error|corrupt/i.test(line)) ?? lines.at(-1) ?? `qemu-img ended with ${code}`;
  throw invalid(image.path, `is damaged: ${error.slice(0, 200)}`);
}

async function limited(
  children: Children,
  image: QemuImage,
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ stdout: string }> {
  try {
    return await children.run('prlimit', [...LIMITS, command, ...args], { signal, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof JobError) || error.message.includes('could not be started')) throw error;
    throw invalid(image.path, `cannot be read by QEMU: ${said(error.message)}`);
  }
}

/** QEMU's own words, without the name of the image, which is JSON here. */
function said(message: string): string {
  const last = message.trim().split('\n').at(-1) ?? '';
  return (/(?:'json:.*'|"json:.*"): (.*)$/.exec(last)?.[1] ?? last).slice(0, 200);
}
