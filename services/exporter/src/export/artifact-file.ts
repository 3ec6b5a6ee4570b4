import { readFile, stat } from 'node:fs/promises';
import { Artifact } from '@hyper2kvm/contracts';
import type { JobFolder } from './job-folder.js';

/** The finished artifact of this job, when it is there with all its disks. */
export async function readArtifact(folder: JobFolder, jobId: string): Promise<Artifact | undefined> {
  const text = await readFile(folder.artifactFile, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const artifact = Artifact.parse(JSON.parse(text));
    if (artifact.job_id !== jobId) return undefined;
    for (const disk of artifact.disks) await stat(folder.disk(disk.file));
    return artifact;
  } catch {
    return undefined;
  }
}
