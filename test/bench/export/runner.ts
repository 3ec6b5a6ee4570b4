/** A process of its own for one way, once: what it and its children used up is that way's. */
import { usage } from '../processes.js';
import { countsItself, type BenchJob, type Done, type FromRunner, type ToRunner } from './job.js';
import { runDecoder, runOurs } from './ours.js';
import { runCurl, runGovc, runQemuImg } from './peers.js';

function run(job: BenchJob): Promise<Done> {
  const { way } = job;
  switch (way.kind) {
    case 'ours':
      return runOurs(job, way);
    case 'decoder':
      return runDecoder(job);
    case 'curl':
      return runCurl(job, way.sideBySide);
    case 'govc':
      return runGovc(job, way.sideBySide);
    case 'qemu-img':
      return runQemuImg(job);
  }
}

async function measured(job: BenchJob): Promise<FromRunner> {
  const before = await usage();
  const from = performance.now();
  const done = await run(job);
  const wallSeconds = (performance.now() - from) / 1000;
  const after = await usage();
  const self = countsItself(job.way) ? after.self - before.self : 0;
  return {
    kind: 'done',
    measured: {
      ...done,
      wallSeconds,
      cpuSeconds: self + after.children - before.children,
      writtenBytes: after.written - before.written,
    },
  };
}

const send = (message: FromRunner): void => void process.send?.(message);

if (process.send !== undefined) {
  process.on('message', ({ job }: ToRunner) => {
    measured(job)
      .catch((error: Error): FromRunner => ({ kind: 'failed', message: error.message }))
      .then(send, () => {})
      .finally(() => process.disconnect());
  });
  send({ kind: 'ready' });
}
