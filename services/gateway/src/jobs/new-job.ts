import type { JobOptions, Machine, Source } from '@hyper2kvm/contracts';
import { freshTraceparent, traceIdOf, traceparent } from '@hyper2kvm/runtime';
import type { EntityManager } from 'typeorm';
import { Job } from '../database/index.js';
import { writeEvents } from '../history/index.js';
import { writeOutboxOfMany, type Outgoing } from '../outbox/index.js';
import { newJobId } from './job-id.js';
import { messageTrace, traceOfOne } from './job-trace.js';
import * as messages from './messages.js';
import { lineOf } from './timeline.js';

/** Rows of one INSERT: PostgreSQL takes 65,535 parameters in a statement. */
const CHUNK = 500;

/** What is to become a job. */
export interface JobWish {
  /** The VM as the request called it. */
  readonly vmRef: string;
  readonly source: Source;
  /** See Job.connection. */
  readonly connection: string | null;
  /** Null where the VM is looked at only when its turn comes. */
  readonly machine: Machine | null;
  /** As they are stored: secrets sealed. */
  readonly options: JobOptions;
  /** Of the target's converters, where it has its own. */
  readonly pool: string | undefined;
  readonly requestedBy: string;
  readonly batch?: { readonly id: string; readonly wave: string; readonly order: number };
}

/** A pending job, not written yet. One that a batch or a hook has to let in first is not admitted. */
export function newJob(wish: JobWish, now: Date): Job {
  const { batch, machine, options, source } = wish;
  const held = batch !== undefined || options.hooks?.before !== undefined;
  const id = newJobId();
  // One trace of thousands of VMs could not be looked at.
  const parent = batch === undefined ? (traceparent() ?? freshTraceparent()) : traceOfOne(id, batch.id);
  return Object.assign(new Job(), {
    id,
    vmRef: wish.vmRef,
    vcenterServer: source.kind === 'vsphere' ? source.server : 'local',
    connection: wish.connection,
    status: 'pending',
    phase: 'export',
    version: 1,
    createdAt: now,
    updatedAt: now,
    queuedAt: now,
    retryCount: 0,
    phaseRetries: 0,
    requestedBy: wish.requestedBy,
    priority: options.priority,
    tags: options.tags,
    options,
    source,
    batchId: batch?.id ?? null,
    wave: batch?.wave ?? null,
    planOrder: batch?.order ?? null,
    admittedAt: held ? null : now,
    notBefore: options.not_before === undefined ? null : new Date(options.not_before),
    releasedAt: null,
    nextRetryAt: null,
    cleanup: null,
    cleanupAttempt: 0,
    verification: null,
    verifyAttempt: 0,
    libvirtImport: null,
    importAttempt: 0,
    targetPool: wish.pool ?? null,
    exportAttempt: 1,
    conversionAttempt: 0,
    generation: 0,
    traceId: traceIdOf(parent) ?? null,
    traceparent: parent,
    ...described(machine, wish),
  } satisfies Partial<Job>);
}

/** The columns that follow from a look at the VM. Asked for by its path or id, a VM on vCenter still has a name. */
export function described(machine: Machine | null, job: Pick<Job, 'vmRef' | 'source'>) {
  return {
    vmName: job.source.kind === 'vsphere' && machine !== null ? machine.name : job.vmRef,
    machine,
    host: machine?.host ?? null,
    instanceUuid: machine?.instance_uuid ?? null,
    sourceFiles: machine?.disks.map((disk) => disk.name) ?? [],
    totalBytes: machine?.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0) ?? 0,
  } satisfies Partial<Job>;
}

/**
 * Writes new jobs and tells of them, in as few statements as can be.
 * @param more messages of a job beside `job.created`
 */
export async function insertJobs(
  manager: EntityManager,
  jobs: readonly Job[],
  more: (job: Job) => readonly Outgoing[] = () => [],
): Promise<void> {
  for (let from = 0; from < jobs.length; from += CHUNK) {
    const chunk = jobs.slice(from, from + CHUNK);
    await manager.createQueryBuilder().insert().into(Job).values(chunk).updateEntity(false).execute();
    const told = chunk.flatMap((job) =>
      [messages.created(job), ...more(job)].map((message) => ({
        id: job.id,
        message,
        ...messageTrace(job.traceparent),
      })),
    );
    await writeOutboxOfMany(manager, told);
    const lines = told.flatMap(({ id, message }) => {
      const happened = lineOf(message);
      return happened === undefined ? [] : [{ jobId: id, happened }];
    });
    await writeEvents(manager, lines);
  }
}
