import { z } from 'zod';
import { ErrorCode, Failure } from '../errors.js';
import { JobStatus } from '../job/states.js';
import { DisksSource, Hook, HttpUrl, JobOptions, LuksKey, OvaSource, withoutDefaults } from '../options.js';
import { BatchId, Bytes, JobId, Lane, Timestamp } from '../words.js';
import { VcenterRequest } from './vcenter.js';

const WaveName = z.string().regex(/^[\w.-]{1,64}$/, 'letters, digits, "_", "." and "-" only');
/** What a VM wants otherwise than its batch. */
const VmOptions = z.strictObject(withoutDefaults(JobOptions.omit({ luks_keys_sealed: true }).shape));

/** A VM of a batch: its name (or inventory path, or managed object id), or what it wants otherwise. */
export const BatchVm = z.union([
  z.string().min(1).max(1024),
  z.strictObject({
    vm_name: z.string().min(1).max(1024),
    /** Over the batch's. */
    vcenter: VcenterRequest.optional(),
    source: z
      .discriminatedUnion('kind', [z.strictObject(DisksSource.shape), z.strictObject(OvaSource.shape)])
      .optional(),
    options: VmOptions.optional(),
    luks_keys: z.array(z.strictObject(LuksKey.shape)).max(32).optional(),
  }),
]);
export type BatchVm = z.infer<typeof BatchVm>;

/** VMs that are moved side by side, once the waves that they come after are through. */
export const BatchWave = z.strictObject({
  name: WaveName,
  /** Names of waves all of whose VMs have to be moved first. One that failed holds this wave until it is tried again or cancelled. */
  after: z.array(WaveName).max(64).default([]),
  vms: z.array(BatchVm).min(1).max(10_000),
  /** Of the wave as a whole: before its first VM starts, after its last one ended. */
  hooks: z.strictObject({ before: Hook.optional(), after: Hook.optional() }).optional(),
});
export type BatchWave = z.infer<typeof BatchWave>;

/** POST /api/v1/batches: one plan for many VMs, given as `vms` (one wave) or as `waves`. */
export const BatchRequest = z.strictObject({
  name: z.string().min(1).max(128).optional(),
  vcenter: VcenterRequest.prefault({}),
  /** Of every VM; what a VM says itself replaces it, field by field. `hooks` run before and after each of them. */
  options: z.strictObject(JobOptions.omit({ luks_keys_sealed: true }).shape).prefault({}),
  vms: z.array(BatchVm).min(1).max(10_000).optional(),
  waves: z.array(BatchWave).min(1).max(256).optional(),
  /**
   * VMs of the batch that are under way at the same time, from their hook before the migration to their end; without it the limits
   * of hosts and workers alone hold it back.
   */
  max_parallel: z.number().int().min(1).max(10_000).optional(),
  /** After so many failed VMs nothing new is begun, until somebody resumes the batch. */
  stop_after_failures: z.number().int().min(1).max(10_000).optional(),
  notify_email: z.email().optional(),
  callback_url: HttpUrl.optional(),
  /** Incoming webhook of Slack that is told of the end of the batch. */
  slack_webhook: HttpUrl.optional(),
});
export type BatchRequest = z.infer<typeof BatchRequest>;

export const BATCH_STATUSES = ['running', 'stopped', 'completed', 'cancelled'] as const;
/**
 * running: jobs wait or run. stopped: too many failed, the rest waits for `resume`. completed: every job came to its end, good or
 * bad. cancelled: somebody cancelled what was left.
 */
export const BatchStatus = z.enum(BATCH_STATUSES);
export type BatchStatus = z.infer<typeof BatchStatus>;

/** Jobs by their status; `total` is their sum. One that rests in exported (auto_convert false) is through as well. */
export const BatchTotals = z.object({
  total: z.number().int(),
  pending: z.number().int(),
  exporting: z.number().int(),
  exported: z.number().int(),
  converting: z.number().int(),
  completed: z.number().int(),
  failed: z.number().int(),
  cancelled: z.number().int(),
});
export type BatchTotals = z.infer<typeof BatchTotals>;

export const BatchSummary = z.object({
  batch_id: BatchId,
  name: z.string().nullable(),
  status: BatchStatus,
  /** Why it stopped. */
  reason: z.string().nullable(),
  totals: BatchTotals,
  percent_complete: z.number(),
  requested_by: z.string(),
  created_at: Timestamp,
  completed_at: Timestamp.nullable(),
});
export type BatchSummary = z.infer<typeof BatchSummary>;

/** The answer to POST, 202. */
export const BatchAccepted = BatchSummary.extend({
  jobs: z.array(z.object({ job_id: JobId, vm_name: z.string(), wave: z.string() })),
});
export type BatchAccepted = z.infer<typeof BatchAccepted>;

export const BatchDetail = BatchSummary.extend({
  max_parallel: z.number().int().nullable(),
  stop_after_failures: z.number().int().nullable(),
  waves: z.array(
    z.object({
      name: z.string(),
      after: z.array(z.string()),
      status: z.enum(['waiting', 'running', 'completed']),
      /** Why it waits, or why none of its VMs runs though nothing but their own times holds them. */
      reason: z.string().nullable(),
      totals: BatchTotals,
    }),
  ),
  bytes_downloaded: Bytes,
  /** Sum of the disks' capacities, of the VMs that were looked at. */
  total_bytes: Bytes,
  eta_seconds: z.number().int().nullable(),
});
export type BatchDetail = z.infer<typeof BatchDetail>;

/** GET /api/v1/batches?status=&limit=&cursor=, newest first */
export const BatchListQuery = z.strictObject({
  status: BatchStatus.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});
export type BatchListQuery = z.infer<typeof BatchListQuery>;
export const BatchList = z.object({ batches: z.array(BatchSummary), next_cursor: z.string().nullable() });
export type BatchList = z.infer<typeof BatchList>;

/** PATCH /api/v1/batches/{id}; what is left out stays. */
export const BatchPatch = z
  .strictObject({
    max_parallel: z.number().int().min(1).max(10_000).nullable().optional(),
    stop_after_failures: z.number().int().min(1).max(10_000).nullable().optional(),
    /** Of all its jobs that have not ended. */
    priority: Lane.optional(),
  })
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), 'say what is to change');
export type BatchPatch = z.infer<typeof BatchPatch>;

/** GET /api/v1/batches/{id}/report?format=json|csv: a line per VM, in the order of the plan. */
export const BatchReportQuery = z.strictObject({ format: z.enum(['json', 'csv']).default('json') });
export type BatchReportQuery = z.infer<typeof BatchReportQuery>;
export const BatchReportLine = z.object({
  wave: z.string(),
  vm_name: z.string(),
  job_id: JobId,
  status: JobStatus,
  error_code: ErrorCode.nullable(),
  error: z.string().nullable(),
  retry_count: z.number().int(),
  created_at: Timestamp,
  started_at: Timestamp.nullable(),
  completed_at: Timestamp.nullable(),
  duration_seconds: z.number().nullable(),
  export_seconds: z.number().nullable(),
  conversion_seconds: z.number().nullable(),
  bytes_downloaded: Bytes,
  capacity_bytes: Bytes,
  booted: z.boolean().nullable(),
  libvirt_domain: z.string().nullable(),
  output_dir: z.string().nullable(),
  concerns: z.number().int(),
});
export type BatchReportLine = z.infer<typeof BatchReportLine>;
export const BatchReport = BatchSummary.extend({
  vms: z.array(BatchReportLine),
  /** Of waves; those of VMs are in their jobs' timelines. */
  hooks: z.array(
    z.object({
      wave: z.string(),
      moment: z.enum(['before', 'after']),
      status: z.enum(['queued', 'completed', 'failed']),
      output: z.string().nullable(),
      failure: Failure.nullable(),
    }),
  ),
});
export type BatchReport = z.infer<typeof BatchReport>;
