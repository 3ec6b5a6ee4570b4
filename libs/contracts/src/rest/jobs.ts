import { z } from 'zod';
import { Concern } from '../concerns.js';
import { Failure } from '../errors.js';
import { PowerState } from '../inventory.js';
import { Modifications, ProofResult } from '../events/conversion.js';
import { DiskProgress } from '../events/job.js';
import { JobStatus } from '../job/states.js';
import { verifyCompleted } from '../events/tasks.js';
import { DisksSource, JobOptions, LuksKey, OvaSource, SourcePower } from '../options.js';
import { importCompleted } from '../events/tasks.js';
import { BatchId, Bytes, JobId, Lane, Phase, Timestamp, Token } from '../words.js';
import { VcenterRequest } from './vcenter.js';

/** POST /api/v1/convert */
export const ConvertRequest = z.strictObject({
  vm_name: z.string().min(1).max(1024),
  vcenter: VcenterRequest.prefault({}),
  /** Files on the worker instead of a vCenter. */
  source: z.discriminatedUnion('kind', [z.strictObject(DisksSource.shape), z.strictObject(OvaSource.shape)]).optional(),
  options: z.strictObject(JobOptions.omit({ luks_keys_sealed: true }).shape).prefault({}),
  /** Keys of LUKS volumes; sealed before anything is stored. */
  luks_keys: z.array(z.strictObject(LuksKey.shape)).max(32).optional(),
});
export type ConvertRequest = z.infer<typeof ConvertRequest>;

/** Its answer, 202. Sizes in GB are the seed's: 10^9 bytes, one decimal. */
export const ConvertAccepted = z.object({
  job_id: JobId,
  status: z.literal('started'),
  vm_name: z.string(),
  disks: z.array(
    z.object({ name: z.string(), size_gb: z.number(), capacity_bytes: Bytes, status: z.literal('queued') }),
  ),
  created_at: Timestamp,
  estimated_duration: z.string().nullable(),
  /** Of the source when it was asked for: a VM that runs goes on writing. */
  power_state: PowerState.optional(),
  /** Of the target, where a converter was there to look at it. */
  concerns: z.array(Concern).optional(),
  trace_id: z.string().optional(),
});
export type ConvertAccepted = z.infer<typeof ConvertAccepted>;

export const JobSummary = z.object({
  job_id: JobId,
  vm_name: z.string(),
  vcenter_server: z.string(),
  status: JobStatus,
  phase: Phase,
  priority: Lane,
  tags: z.array(z.string()),
  percent_complete: z.number(),
  requested_by: z.string(),
  retry_count: z.number().int(),
  error: z.string().nullable(),
  created_at: Timestamp,
  updated_at: Timestamp,
  completed_at: Timestamp.nullable(),
  batch_id: BatchId.nullable(),
  /** The wave of its batch. */
  wave: z.string().nullable(),
});
export type JobSummary = z.infer<typeof JobSummary>;

/** GET /api/v1/jobs?status=&vm=&tag=&batch=&since=&limit=&cursor= */
export const JobListQuery = z.strictObject({
  status: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(JobStatus))
    .optional(),
  /** The VM's name, exactly. */
  vm: z.string().max(1024).optional(),
  tag: z.string().max(64).optional(),
  batch: BatchId.optional(),
  /** Created at this time or later. */
  since: Timestamp.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});
export type JobListQuery = z.infer<typeof JobListQuery>;
export const JobList = z.object({ jobs: z.array(JobSummary), next_cursor: z.string().nullable() });
export type JobList = z.infer<typeof JobList>;

/** What was asked for and is being done about the traces of a job that ended. */
export const CleanupState = z.object({
  status: z.enum(['queued', 'in_progress', 'completed', 'failed']),
  /** Of a failure: what is left where. */
  message: z.string().nullable(),
  next_try_at: Timestamp.nullable(),
});
export type CleanupState = z.infer<typeof CleanupState>;

/** The latest look at the job's files. */
export const Verification = z.object({
  status: z.enum(['queued', 'in_progress', 'completed', 'failed']),
  requested_at: Timestamp,
  percent_complete: z.number(),
  report: verifyCompleted.schema.omit({ job_id: true, attempt: true, worker: true }).nullable(),
  failure: Failure.nullable(),
});
export type Verification = z.infer<typeof Verification>;

/** POST /api/v1/inspect: what it is, what would be done, what worries. Takes the same as a conversion, and changes nothing. */
export const InspectRequest = ConvertRequest;
export type InspectRequest = z.infer<typeof InspectRequest>;

/** POST /api/v1/jobs/{id}/import */
export const ImportRequest = z.strictObject({ target: Token.optional(), start: z.boolean().default(false) });
export type ImportRequest = z.infer<typeof ImportRequest>;

/** The latest import of the job's output into libvirt. */
export const Import = z.object({
  status: z.enum(['queued', 'in_progress', 'completed', 'failed']),
  requested_at: Timestamp,
  target: Token.nullable(),
  report: importCompleted.schema.omit({ job_id: true, attempt: true, worker: true }).nullable(),
  failure: Failure.nullable(),
});
export type Import = z.infer<typeof Import>;

/** GET /api/v1/jobs/{id}: the seed's shape, and what a completed or failed job adds. */
export const JobDetail = JobSummary.extend({
  progress: z.object({
    phase: Phase,
    current_disk: z.number().int(),
    total_disks: z.number().int(),
    percent_complete: z.number(),
    eta_seconds: z.number().int().nullable(),
    bytes_per_second: z.number().nullable(),
    disks: z.array(DiskProgress),
  }),
  /** When the next attempt starts by itself; null otherwise. */
  next_retry_at: Timestamp.nullable(),
  /** Of a job that waits, from 1: how many of all that wait for the same phase start before it, and itself. */
  queue_position: z.number().int().nullable(),
  /** Of a job that waits: when it is likely to start, from what the last jobs took; null where nothing is known yet. */
  estimated_start: Timestamp.nullable(),
  /** Why a job waits that nobody takes, or that is not in its queue yet: `4 of 4 disks of host esx07 are being exported`. */
  waiting_reason: z.string().nullable(),
  /** It does not start before. */
  not_before: Timestamp.nullable(),
  /** Its maintenance windows, as they were given. */
  window: z.string().nullable(),
  /** Scheme and host alone: the rest may be all that keeps others from writing there. */
  callback_url: z.string().nullable(),
  /** The same; missing in answers of versions before 0.2. */
  slack_webhook: z.string().nullable().optional(),
  /** The job's own, beside the addresses of rules; missing in answers of versions before 0.2. */
  notify_email: z.string().nullable().optional(),
  /** Name of the stored vCenter connection whose login it uses. */
  connection: z.string().nullable(),
  /** Of an export's clean-up after its end; null when there was none to do. */
  cleanup: CleanupState.nullable(),
  /** Where its disks come from. */
  source_kind: z.enum(['vsphere', 'disks', 'ova']),
  source_power: SourcePower,
  bandwidth_bytes_per_second: z.number().nullable(),
  export: z.object({
    status: z.string(),
    duration: z.string().nullable(),
    duration_seconds: z.number().nullable(),
    bytes_downloaded: Bytes,
    total_bytes: Bytes,
  }),
  conversion: z.object({
    status: z.string(),
    current_step: z.string().nullable(),
    steps_completed: z.number().int(),
    steps_total: z.number().int(),
    duration_seconds: z.number().nullable(),
  }),
  machine: z.object({ cpus: z.number().int(), memory_bytes: Bytes, firmware: z.string() }).nullable(),
  failure: Failure.nullable(),
  error_file: z.string().nullable(),
  retry_available: z.boolean(),
  output_dir: z.string().nullable(),
  files: z.array(z.string()),
  domain_xml: z.string().nullable(),
  duration_seconds: z.number().nullable(),
  modifications: Modifications.nullable(),
  guest: z.string().nullable(),
  concerns: z.array(z.string()),
  proof: ProofResult.nullable(),
  libvirt_domain: z.string().nullable(),
  /** The latest import into libvirt after the end of the job; null when there was none. */
  import: Import.nullable(),
  trace_id: z.string().nullable(),
});
export type JobDetail = z.infer<typeof JobDetail>;

/**
 * GET /api/v1/jobs/{id}/events: server-sent events until the job ended. `job` carries a JobDetail (first, and after each change
 * of state), `progress` a JobProgress, `log` a JobLog, `end` a JobDetail; `id:` is for Last-Event-ID.
 */
export type SseEvent = 'job' | 'progress' | 'log' | 'end';

/** Errors as RFC 9457 problem+json, with the product's code. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  advice: z.string(),
  job_id: JobId.optional(),
  trace_id: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;
