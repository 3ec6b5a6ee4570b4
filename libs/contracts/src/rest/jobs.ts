import { z } from 'zod';
import { Failure } from '../errors.js';
import { Modifications, ProofResult } from '../events/conversion.js';
import { DiskProgress, jobLog } from '../events/job.js';
import { JobStatus } from '../job/states.js';
import { JobOptions } from '../options.js';
import { Bytes, JobId, Lane, Phase, Timestamp } from '../words.js';

/** The seed's `vcenter` object. What is missing comes from the gateway's `vsphere` section. */
export const VcenterRequest = z.strictObject({
  server: z.string().min(1).optional(),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  datacenter: z.string().min(1).optional(),
  ca_pem: z.string().optional(),
  thumbprint: z.string().optional(),
  insecure: z.boolean().optional(),
});
export type VcenterRequest = z.infer<typeof VcenterRequest>;

/** POST /api/v1/convert */
export const ConvertRequest = z.strictObject({
  vm_name: z.string().min(1).max(1024),
  vcenter: VcenterRequest.prefault({}),
  options: z.strictObject(JobOptions.shape).prefault({}),
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
});
export type JobSummary = z.infer<typeof JobSummary>;

/** GET /api/v1/jobs?status=&vm=&limit=&cursor= */
export const JobListQuery = z.strictObject({
  status: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(JobStatus))
    .optional(),
  vm: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});
export type JobListQuery = z.infer<typeof JobListQuery>;
export const JobList = z.object({ jobs: z.array(JobSummary), next_cursor: z.string().nullable() });
export type JobList = z.infer<typeof JobList>;

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
  queue_position: z.number().int().nullable(),
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
  trace_id: z.string().nullable(),
});
export type JobDetail = z.infer<typeof JobDetail>;

/** GET /api/v1/jobs/{id}/logs?tail= */
export const JobLogsQuery = z.strictObject({ tail: z.coerce.number().int().min(1).max(10_000).default(1000) });
export const JobLogs = z.object({ job_id: JobId, lines: z.array(jobLog.schema) });
export type JobLogs = z.infer<typeof JobLogs>;

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
