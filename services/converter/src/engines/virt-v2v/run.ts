import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { spawnGuarded } from '@hyper2kvm/runtime';
import { clearLeftovers } from '../../guest/index.js';
import { environment } from '../../guest/server.js';
import type { EngineInput } from '../engine.js';
import { failure } from './failure.js';
import { noteSockets } from './leftovers.js';
import { parseLine, partDone, type Said } from './output.js';
import { sourceXml } from './xml.js';

/** Without KVM a Linux guest's initramfs takes minutes, for each of its kernels. */
const LIMIT_MS = 2 * 60 * 60_000;
/** Of what it writes besides. */
const KEPT_LINES = 20;

type RunInput = Pick<EngineInput, 'disks' | 'machine' | 'cacheDir' | 'accelerator' | 'work' | 'folder'> & {
  /** As its `--root` takes it. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** What is added to it, with two digits for the disk. */
const SOCKET = '/v2v.XXXXXX/in00';
/** Of a socket's path (unix(7), without the closing zero). */
const SOCKET_PATH_BYTES = 107;

/** qemu-nbd's own error would be a riddle. */
export function assertShort(folder: string): void {
  const tooLong = Buffer.byteLength(folder) + SOCKET.length - SOCKET_PATH_BYTES;
  if (tooLong <= 0) return;
  throw new JobError(
    'CONVERSION_STEP',
    `${folder} is ${tooLong} characters too long for the sockets of virt-v2v: choose a shorter converter.work_dir`,
  );
}

/**
 * virt-v2v-in-place on the overlays, to its end.
 * @param done told which part of it (0 to 1) is done
 * @returns its warnings and infos
 * @throws JobError CONVERSION_STEP with its own words, or a code that says more
 */
export async function runVirtV2v(input: RunInput, done: (part: number) => void): Promise<Said[]> {
  const { work } = input;
  const folder = path.join(input.folder, 'v2v');
  assertShort(folder);
  await mkdir(folder, { recursive: true });
  try {
    const xml = path.join(folder, 'source.xml');
    await writeFile(xml, sourceXml(input.machine, input.disks));
    return await inFolder(folder, xml, input, done);
  } finally {
    await clearLeftovers(folder);
    await rm(folder, { recursive: true, force: true });
    work.signal.throwIfAborted();
  }
}

async function inFolder(
  folder: string,
  xml: string,
  { root, env, cacheDir, accelerator, work }: RunInput,
  done: (part: number) => void,
): Promise<Said[]> {
  const said: Said[] = [];
  const rest: string[] = [];
  const onLine = (line: string, stream: 'stdout' | 'stderr'): void => {
    const each = parseLine(line);
    if (each === undefined) {
      if (stream === 'stderr' && line.trim() !== '') rest.push(line.trim());
      if (rest.length > KEPT_LINES) rest.shift();
      return;
    }
    said.push(each);
    const part = partDone(each);
    if (part !== undefined) done(part);
    // Warnings are logged as concerns, errors by what they end in.
    if (each.type === 'message' || each.type === 'info')
      work.log('info', `virt-v2v: ${each.text}`, { step: 'virt-v2v' });
  };
  const args = ['-i', 'libvirtxml', xml, '--root', root, '--machine-readable=stream:stdout'];
  const child = spawnGuarded('virt-v2v-in-place', args, {
    env: { ...environment({ folder, cacheDir, accelerator, signal: work.signal }), ...env },
    signal: work.signal,
    onLine,
  });
  const ended = new AbortController();
  const noting = noteSockets(folder, child.pid, ended.signal);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    void child.kill();
  }, LIMIT_MS);
  const { code } = await child.exited;
  clearTimeout(timer);
  ended.abort();
  await noting;
  work.signal.throwIfAborted();
  if (timedOut) throw new JobError('CONVERSION_STEP', `virt-v2v did not end within ${LIMIT_MS / 60_000} minutes`);
  if (code !== 0) throw failure(code, said, rest);
  return said;
}
