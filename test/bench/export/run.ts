import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { watchMemory } from '../processes.js';
import { countsItself, type BenchJob, type FromRunner, type Measured, type ToRunner } from './job.js';

const RUNNER = fileURLToPath(new URL('./runner.js', import.meta.url));

export interface Run extends Measured {
  /** Sum over the processes alive at one time. */
  peakRssBytes: number;
}

/**
 * One way, once, in a process of its own. What it wrote is removed.
 * @param compare every image with its source @throws Error when the way failed, or an image differs
 */
export async function runOnce(job: BenchJob, compare: boolean): Promise<Run> {
  for (const disk of job.disks) {
    await readThrough(disk.vmdk);
    await readThrough(disk.raw);
  }
  await execa('sync');
  const runner = fork(RUNNER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    await next(runner, 'ready');
    const memory = watchMemory(runner.pid ?? -1, countsItself(job.way));
    runner.send({ kind: 'go', job } satisfies ToRunner);
    const { measured } = await next(runner, 'done');
    const { total } = await memory.stop();
    if (compare)
      for (const [index, image] of measured.images.entries())
        await execa('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', image, job.disks[index]?.raw ?? '']);
    return { ...measured, peakRssBytes: total };
  } finally {
    if (runner.exitCode === null && runner.signalCode === null) {
      runner.kill('SIGKILL');
      await once(runner, 'exit');
    }
    await rm(job.folder, { recursive: true, force: true });
  }
}

/** Into the page cache. */
async function readThrough(file: string): Promise<void> {
  const stream = createReadStream(file, { highWaterMark: 2 ** 20 });
  stream.resume();
  await once(stream, 'close');
}

function next<Kind extends FromRunner['kind']>(
  runner: ReturnType<typeof fork>,
  kind: Kind,
): Promise<Extract<FromRunner, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    runner.once('exit', (code, signal) => reject(new Error(`the runner ended with ${code ?? signal ?? ''}`)));
    runner.once('message', (message: FromRunner) => {
      if (message.kind === kind) resolve(message as Extract<FromRunner, { kind: Kind }>);
      else reject(new Error(message.kind === 'failed' ? message.message : `unexpected: ${message.kind}`));
    });
  });
}
