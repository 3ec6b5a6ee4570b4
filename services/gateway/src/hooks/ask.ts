import { ANY_POOL, hookRequested, type Hook, type HookSubject } from '@hyper2kvm/contracts';
import type { EntityManager } from 'typeorm';
import { newId, type JobRow } from '../database/index.js';
import { writeEvents } from '../history/index.js';
import { outgoing, writeOutboxOfMany, type Outgoing } from '../outbox/index.js';
import { messageTrace } from '../jobs/job-trace.js';
import { hookWords } from './words.js';

/** A hook that is to run now. */
export interface HookRun {
  readonly hook: Hook;
  readonly about: HookSubject;
  /** Of its job or batch. */
  readonly traceparent: string | null;
}

/** A VM's. */
export const ofJob = (job: JobRow, hook: Hook, moment: HookSubject['moment'], batchName: string | null): HookRun => ({
  hook,
  traceparent: job.traceparent,
  about: {
    moment,
    scope: 'vm',
    job_id: job.id,
    vm_name: job.vmName,
    ...(moment === 'before' ? {} : { status: job.status }),
    ...(moment === 'before' || job.outputDir === null ? {} : { output_dir: job.outputDir }),
    ...(job.batchId === null ? {} : { batch_id: job.batchId }),
    ...(batchName === null ? {} : { batch_name: batchName }),
    ...(job.wave === null || job.batchId === null ? {} : { wave: job.wave }),
  },
});

/**
 * Asks for hooks, each in the round after its last one. The indexes let a round be asked for once, whoever else asks at the
 * same time. Nothing waits for a hook after a VM: it is spent from the beginning.
 */
export async function askHooks(manager: EntityManager, runs: readonly HookRun[]): Promise<void> {
  if (runs.length === 0) return;
  const rows = runs.map(({ hook, about, traceparent }) => ({
    trace: messageTrace(traceparent),
    id: newId('hook'),
    batch_id: about.batch_id ?? null,
    wave: about.wave ?? null,
    job_id: about.job_id ?? null,
    scope: about.scope,
    moment: about.moment,
    hook,
    about,
  }));
  await manager.query(
    `INSERT INTO hooks (id, batch_id, wave, job_id, scope, moment, hook, status, queued_at, spent, round)
     SELECT id, batch_id, wave, job_id, scope, moment, hook, 'queued', now(), scope = 'vm' AND moment = 'after', 1 + CASE scope
       WHEN 'vm' THEN (SELECT count(*) FROM hooks earlier
         WHERE earlier.scope = 'vm' AND earlier.job_id = run.job_id AND earlier.moment = run.moment)
       ELSE (SELECT count(*) FROM hooks earlier WHERE earlier.scope = 'wave' AND earlier.batch_id = run.batch_id
         AND earlier.wave = run.wave AND earlier.moment = run.moment)
       END
     FROM jsonb_to_recordset($1::jsonb)
       AS run (id text, batch_id text, wave text, job_id text, scope text, moment text, hook jsonb)`,
    [JSON.stringify(rows)],
  );
  await writeOutboxOfMany(
    manager,
    rows.map(({ id, hook, about, trace }) => ({ id, message: requestHook(id, hook, about), ...trace })),
  );
  await writeEvents(
    manager,
    rows.flatMap(({ job_id: jobId, moment, hook }) =>
      jobId === null
        ? []
        : [{ jobId, happened: { event: 'hook.requested', message: `${hookWords(moment, hook)} is asked for.` } }],
    ),
  );
}

const requestHook = (id: string, hook: Hook, about: HookSubject): Outgoing =>
  outgoing(hookRequested, { job_id: id, attempt: 1, generation: 0, lane: 'normal', pool: ANY_POOL, hook, about });
