import type { RetentionReport } from '@hyper2kvm/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import type { JobRow } from '../database/index.js';
import { askCleanup } from '../jobs/cleanup.js';
import type { Decision } from '../jobs/decision.js';
import { applyDecision, lockJob } from '../jobs/store.js';

type Artifact = RetentionReport['artifacts'][number];

/**
 * Jobs whose exported images still stand. Without the converter's word a completed job has none: they became its result. Those
 * of a cancelled one went when it was cancelled.
 */
export const STANDING = `(artifact_dir IS NOT NULL AND
  (status = 'failed' OR (status = 'completed' AND result->>'artifact_kept' IS NOT DISTINCT FROM 'true')))`;

const IDLE = `cleanup->>'status' IS DISTINCT FROM 'queued' AND verification->>'status' IS DISTINCT FROM 'queued'`;

/** The oldest first. */
export async function findArtifacts(manager: EntityManager, before: Date, limit: number): Promise<Artifact[]> {
  const rows = await manager.query<{ id: string; vm_name: string; folder: string; bytes: string | null }[]>(
    `SELECT id, vm_name, artifact_dir AS folder, bytes_downloaded AS bytes FROM jobs
     WHERE completed_at < $1 AND ${STANDING} AND ${IDLE} ORDER BY completed_at LIMIT $2`,
    [before, limit],
  );
  return rows.map(({ id, vm_name, folder, bytes }) => ({
    job_id: id,
    vm_name,
    folder,
    bytes: bytes === null ? null : Number(bytes),
  }));
}

/** Asks for the removal of the images of a job; false where they are wanted again by now. */
export const removeArtifact = (source: DataSource, id: string, before: Date): Promise<boolean> =>
  source.transaction(async (manager) => {
    const job = await lockJob(manager, id);
    const decision = job === null ? undefined : decideRemoval(job, before, new Date());
    if (job === null || decision === undefined) return false;
    await applyDecision(manager, job, decision);
    return true;
  });

/**
 * The row forgets the images before they go, so that a retry which comes in between exports anew. Their source was cleared up
 * when the job ended; only where that failed it is asked again.
 */
export function decideRemoval(job: JobRow, before: Date, now: Date): Decision | undefined {
  const stands = job.status === 'failed' || (job.status === 'completed' && job.result?.artifact_kept === true);
  const busy = job.cleanup?.status === 'queued' || job.verification?.status === 'queued';
  if (job.artifactDir === null || !stands || busy || job.completedAt === null || job.completedAt >= before)
    return undefined;
  const filesOnly = job.cleanup?.status !== 'failed';
  const { patch, message } = askCleanup(job, { removeFiles: true, filesOnly });
  const words = `The exported images in ${job.artifactDir} are old enough to go.`;
  return {
    patch: { ...patch, artifactDir: null, artifact: null, updatedAt: now },
    messages: [message],
    events: [{ event: 'retention.artifacts', message: words }],
  };
}
