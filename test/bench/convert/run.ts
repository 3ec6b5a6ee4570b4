import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { putArtifact, workplace } from '../../integration/convert-job.js';
import { usage } from '../processes.js';
import type { ConvertJob, Done, Way } from './job.js';

const RUNNER = fileURLToPath(new URL('./runner.js', import.meta.url));
/**
 * A namespace of its own for the processes, whose first one, the shell, takes over and waits for those that detach, as
 * libguestfs's appliance does: what they used up would be nobody's otherwise. Nothing is left when it ends.
 */
const CONTAINED = [
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
  'sh',
  '-c',
  '"$0" "$@"; code=$?; wait; exit $code',
];

export interface Run extends Done {
  /** Of all its processes, Node's start included. */
  cpuSeconds: number;
  writtenBytes: number;
}

/**
 * One conversion, once. The folder is left for the caller, who may look at the result; it was empty before.
 * @throws Error when it failed, with its last words
 */
export async function runOnce(way: Way, image: string, capacityBytes: number, folder: string): Promise<Run> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const place = workplace(folder);
  await putArtifact(place, image, capacityBytes);
  const job: ConvertJob = { way, image: path.join(place.artifactDir, 'disk1.qcow2'), folder };
  const file = path.join(folder, 'job.json');
  await writeFile(file, JSON.stringify(job));
  await execa('sync');
  const before = await usage();
  const { failed, stdout, stderr } = await execa('unshare', [...CONTAINED, process.execPath, RUNNER, file], {
    stdin: 'ignore',
    reject: false,
    cwd: path.dirname(RUNNER),
  });
  if (failed) throw new Error(`${way} failed: ${stderr.slice(-2000)}`);
  const after = await usage();
  const done = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Done;
  return {
    ...done,
    cpuSeconds: after.children - before.children,
    writtenBytes: after.written - before.written,
  };
}
