import { JobOptions, type Machine } from '@hyper2kvm/contracts';
import { Job } from '../src/database/index.js';
import type { Decision } from '../src/jobs/decision.js';
import type { Outgoing } from '../src/jobs/messages.js';
import { classify } from '../src/jobs/retry-classes.js';

export const NOW = new Date('2026-01-17T10:00:00.000Z');
export const SETTING = {
  now: NOW,
  policy: { max_retries: 2, retry_delay: 300, backoff_multiplier: 2 },
  retryable: classify({}),
};

export const MACHINE: Machine = {
  name: 'production-db',
  moref: 'vm-42',
  cpus: 8,
  memory_bytes: 16 * 1024 ** 3,
  firmware: 'bios',
  secure_boot: false,
  disks: [
    { index: 1, name: 'production-db.vmdk', capacity_bytes: 1000 },
    { index: 2, name: 'production-db_1.vmdk', capacity_bytes: 500 },
  ],
  nics: [],
};

/** What a decision sends, but for lines of the log. */
export const sent = (decision: Decision | undefined): Outgoing[] | undefined =>
  decision?.messages.filter(({ type }) => type !== 'job.log.v1');

/** The lines that it writes into the job's log. */
export const logged = (decision: Decision | undefined): unknown[] =>
  (decision?.messages ?? []).flatMap(({ type, data }) =>
    type === 'job.log.v1' ? [[data['level'], data['message']]] : [],
  );

/** A job that was just let into the queue, with changes. */
export function job(changes: Partial<Job> = {}): Job {
  return Object.assign(new Job(), {
    id: 'job-abc123',
    vmName: 'production-db',
    vcenterServer: 'vcenter.example.com',
    status: 'pending',
    phase: 'export',
    version: 1,
    exportStartedAt: null,
    exportCompletedAt: null,
    exportDurationSeconds: null,
    bytesDownloaded: null,
    conversionStartedAt: null,
    conversionCompletedAt: null,
    conversionDurationSeconds: null,
    conversionStatus: null,
    sourceFiles: MACHINE.disks.map((disk) => disk.name),
    outputDir: null,
    createdAt: new Date('2026-01-17T09:00:00.000Z'),
    updatedAt: new Date('2026-01-17T09:00:00.000Z'),
    completedAt: null,
    error: null,
    failure: null,
    errorFile: null,
    retryCount: 0,
    phaseRetries: 0,
    nextRetryAt: null,
    requestedBy: 'local',
    priority: 'high',
    tags: [],
    options: JobOptions.parse({ notify_email: 'ops@example.com' }),
    source: {
      kind: 'vsphere',
      server: 'vcenter.example.com',
      username: 'u',
      password_sealed: 'v1.a.b.c',
      tls: { insecure: false },
    },
    machine: MACHINE,
    vmRef: 'production-db',
    connection: null,
    batchId: null,
    wave: null,
    planOrder: null,
    admittedAt: new Date('2026-01-17T09:00:00.000Z'),
    notBefore: null,
    queuedAt: new Date('2026-01-17T09:00:00.000Z'),
    instanceUuid: null,
    totalBytes: 1500,
    host: 'esx07.example.com',
    releasedAt: new Date('2026-01-17T09:00:01.000Z'),
    exportAttempt: 1,
    conversionAttempt: 0,
    generation: 0,
    artifactDir: null,
    artifactPool: null,
    artifact: null,
    result: null,
    cleanup: null,
    cleanupAttempt: 0,
    verification: null,
    verifyAttempt: 0,
    libvirtImport: null,
    importAttempt: 0,
    targetPool: null,
    traceId: null,
    traceparent: null,
    ...changes,
  } satisfies Record<keyof Job, unknown>);
}

/** The same job after its export. */
export const exportedJob = (changes: Partial<Job> = {}): Job =>
  job({
    status: 'exported',
    phase: 'conversion',
    conversionStatus: 'queued',
    conversionAttempt: 1,
    artifactDir: '/work/job-abc123',
    artifactPool: 'host-a',
    bytesDownloaded: 700,
    exportDurationSeconds: 445,
    ...changes,
  });
