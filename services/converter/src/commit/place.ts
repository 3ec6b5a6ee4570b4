import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { Manifest } from './manifest.js';
import { safeName } from '../names.js';

/** The folder in which a job's output is put together: hidden, beside its final place, named after the job. */
export const partialFolder = (dateDir: string, vmName: string, jobId: string): string =>
  path.join(dateDir, `.${safeName(vmName)}.${jobId}.partial`);

/** The final places, in the order of preference: the VM's name, and with the job where another job has that. */
const places = (dateDir: string, vmName: string, jobId: string): string[] =>
  [safeName(vmName), `${safeName(vmName)}-${jobId}`].map((name) => path.join(dateDir, name));

/** The output of this job, where it is complete already. */
export async function findOutput(dateDir: string, vmName: string, jobId: string): Promise<Manifest | undefined> {
  for (const place of places(dateDir, vmName, jobId)) {
    const manifest = await readManifest(place);
    if (manifest?.job_id === jobId) return manifest;
  }
  return undefined;
}

/** Where this job's output goes: the first place that is free. The second is this job's alone. */
export async function choosePlace(dateDir: string, vmName: string, jobId: string): Promise<string> {
  const [first = '', second = ''] = places(dateDir, vmName, jobId);
  return (await isFree(first)) ? first : second;
}

/** An empty folder counts as free: rename(2) replaces it. */
async function isFree(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/**
 * The output that a folder holds.
 * @throws JobError ARTIFACT_MISSING when there is none, or it is another job's
 */
export async function readOutput(folder: string, jobId: string): Promise<Manifest> {
  const manifest = await readManifest(folder);
  if (manifest === undefined)
    throw new JobError('ARTIFACT_MISSING', `${folder} has no valid manifest.json: it is no finished output`);
  if (manifest.job_id === jobId) return manifest;
  throw new JobError('ARTIFACT_MISSING', `${folder} is the output of ${manifest.job_id}, not of ${jobId}`);
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return Manifest.parse(JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')));
  } catch {
    return undefined;
  }
}
