import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { JobId, JobError } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { DomainPlan } from '../targets/libvirt/index.js';
import { writeDurably } from './files.js';
import { ManifestCore } from './manifest.js';

/**
 * `commit.json` in the job's folder: the conversion is done and proven, and everything that is left to do is written
 * down. From here on the job can only go forward: whoever finds it repeats the commit.
 */
export const CommitMarker = z.object({
  version: z.literal(1),
  job_id: JobId,
  vm_name: z.string(),
  /** Name of the epoch's folder beside this file. */
  epoch_folder: z.string().regex(/^a\d+\.e\d+$/),
  artifact_dir: z.string().startsWith('/'),
  /** The images below stay; new ones are written. */
  keep_artifact: z.boolean(),
  /** In disk order. */
  images: z.array(
    z.object({
      base: z.string(),
      overlay: z.string(),
      format: z.enum(['qcow2', 'raw']),
      output: z.string(),
      /** Default: as it came. */
      output_format: z.enum(['qcow2', 'raw']).optional(),
      compress: z.literal('zstd').optional(),
      capacity_bytes: z.number(),
    }),
  ),
  /** `<output>/<YYYY-MM-DD>`. */
  date_dir: z.string().startsWith('/'),
  domain: DomainPlan,
  /** Files to be moved into `evidence/`. */
  evidence: z.array(z.string()),
  manifest: ManifestCore,
});
export type CommitMarker = z.infer<typeof CommitMarker>;

const NAME = 'commit.json';

export async function writeMarker(jobDir: string, marker: CommitMarker): Promise<void> {
  await writeDurably(path.join(jobDir, NAME), JSON.stringify(marker, undefined, 2));
}

export async function readMarker(jobDir: string): Promise<CommitMarker | undefined> {
  const text = await readFile(path.join(jobDir, NAME), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return CommitMarker.parse(JSON.parse(text));
  } catch (error) {
    throw new JobError('INTERNAL', `${path.join(jobDir, NAME)} cannot be read`, { cause: error, retryable: false });
  }
}
