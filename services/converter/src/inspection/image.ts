import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { JobError, type InspectDisk } from '@hyper2kvm/contracts';
import { runGuarded } from '@hyper2kvm/runtime';
import { z } from 'zod';
import type { ApplianceDisk } from '../guest/index.js';

/** A header may claim anything. Bytes of memory, seconds of CPU. */
const LIMITS = ['--as=2147483648', '--cpu=30'];
const TIMEOUT_MS = 30_000;

const Info = z.object({
  'backing-filename': z.string().optional(),
  encrypted: z.boolean().optional(),
  'format-specific': z
    .object({
      data: z.looseObject({
        'data-file': z.string().optional(),
        extents: z.array(z.looseObject({ filename: z.string() })).optional(),
      }),
    })
    .optional(),
});

/** A disk as QEMU is to open it, with nothing left for it to find out (its `json:` pseudo-protocol). */
export function qemuName({ path: file, format, offset_bytes, size_bytes }: InspectDisk): string {
  const whole = { driver: 'file', filename: file };
  const piece = {
    driver: 'raw',
    offset: offset_bytes ?? 0,
    ...(size_bytes === undefined ? {} : { size: size_bytes }),
    file: whole,
  };
  const options = {
    driver: format,
    // Were there a reference to another file, it would not be followed.
    ...(format === 'qcow2' || format === 'vmdk' ? { backing: null } : {}),
    // Without it QEMU takes the size of some VHDs from their geometry, which is rounded down.
    ...(format === 'vpc' ? { force_size_calc: 'current_size' } : {}),
    file: offset_bytes === undefined && size_bytes === undefined ? whole : piece,
  };
  return `json:${JSON.stringify(options)}`;
}

/**
 * A throw-away overlay over a file that lies on the worker, which is only read.
 * @throws JobError SOURCE_INVALID for what is no such image, or leads to files elsewhere; NO_WORKER where it is not
 */
export async function overlayOver(disk: InspectDisk, file: string, signal: AbortSignal): Promise<ApplianceDisk> {
  const found = await lstat(disk.path).catch(() => undefined);
  if (!found?.isFile()) throw new JobError('NO_WORKER', `${disk.path} is no file of the converter that was asked`);
  const name = qemuName(disk);
  await assertAlone(disk, name, signal);
  await qemuImg(disk, ['create', '-q', '-f', 'qcow2', '-F', disk.format, '-b', name, file], signal);
  return { file, format: 'qcow2' };
}

async function assertAlone(disk: InspectDisk, name: string, signal: AbortSignal): Promise<void> {
  const { stdout } = await qemuImg(disk, ['info', '--output=json', '-f', disk.format, name], signal);
  const info = Info.parse(JSON.parse(stdout));
  const { 'data-file': data, extents = [] } = info['format-specific']?.data ?? {};
  const folder = path.dirname(disk.path);
  const others = [info['backing-filename'], data].filter((each) => each !== undefined);
  for (const { filename } of extents) {
    // QEMU gives an extent in the file itself by the name that it was opened with.
    if (!filename.startsWith('/')) continue;
    const real = await realpath(filename).catch(() => filename);
    if (path.dirname(real) !== folder) others.push(filename);
  }
  if (others.length > 0) throw new JobError('SOURCE_INVALID', `${disk.path} refers to another file (${others[0]})`);
  if (info.encrypted === true) throw new JobError('SOURCE_INVALID', `${disk.path} is encrypted`);
}

async function qemuImg(
  disk: InspectDisk,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly stdout: string }> {
  try {
    return await runGuarded('prlimit', [...LIMITS, 'qemu-img', ...args], { signal, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof JobError)) throw error;
    const last = error.message.trim().split('\n').at(-1) ?? '';
    // Its own words, without the name of the image, which is JSON here.
    const said = /(?:'json:.*'|"json:.*"): (.*)$/.exec(last)?.[1] ?? last;
    throw new JobError('SOURCE_INVALID', `${disk.path} cannot be read by QEMU: ${said.slice(0, 200)}`, {
      cause: error,
    });
  }
}
