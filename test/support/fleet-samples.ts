import type { BatchSummary, JobDetail, JobStatus, Status, WorkerHeartbeat } from '@hyper2kvm/contracts';
import { GB, job } from './cli-samples.js';

export const NOW = Date.parse('2026-01-17T22:14:03Z');
const at = (minutesAgo: number): string => new Date(NOW - minutesAgo * 60_000).toISOString();

/** A job of a fleet; ids tell of the VM, ages in minutes. */
export const one = (vm: string, status: JobStatus, minutes: number, change: Partial<JobDetail> = {}): JobDetail =>
  job({
    job_id: `job-${vm.replaceAll(/[^a-z0-9]/g, '').padEnd(12, '0')}`,
    vm_name: vm,
    status,
    created_at: at(minutes),
    updated_at: at(0),
    completed_at: ['completed', 'failed', 'cancelled'].includes(status) ? at(minutes / 2) : null,
    ...change,
  });

const exporting = (vm: string, minutes: number, percent: number, rate: number): JobDetail =>
  one(vm, 'exporting', minutes, {
    percent_complete: percent,
    progress: {
      phase: 'export',
      current_disk: 2,
      total_disks: 2,
      percent_complete: percent,
      eta_seconds: Math.round(((100 - percent) * 1e9) / rate),
      bytes_per_second: rate,
      disks: [
        {
          index: 1,
          name: `${vm}.vmdk`,
          capacity_bytes: 60 * GB,
          done_bytes: 60 * GB,
          bytes_downloaded: 1,
          state: 'done',
        },
        {
          index: 2,
          name: `${vm}_1.vmdk`,
          capacity_bytes: 40 * GB,
          done_bytes: Math.round(percent * 0.4 * GB),
          bytes_downloaded: 1,
          state: 'transferring',
        },
      ],
    },
    export: {
      status: 'in_progress',
      duration: null,
      duration_seconds: null,
      bytes_downloaded: 1,
      total_bytes: 100 * GB,
    },
  });

const failure = {
  code: 'DISK_FULL',
  message: 'no space left in /srv/out: 3 GB are missing',
  advice: 'Free space, then: hyperctl retry --job <id>.',
  retryable: false,
} as const;
export const broken = (vm: string, minutes: number): JobDetail =>
  one(vm, 'failed', minutes, { failure, error: failure.message, retry_available: true });

export const RUNNING: readonly JobDetail[] = [
  exporting('production-db', 72, 45, 120e6),
  exporting('web-07', 9, 3, 1.4e9),
  one('mail', 'converting', 41, {
    percent_complete: 80,
    conversion: {
      status: 'in_progress',
      current_step: 'injecting_virtio_drivers',
      steps_completed: 4,
      steps_total: 9,
      duration_seconds: null,
    },
  }),
  one('データベース-01', 'exported', 30, {
    percent_complete: 60,
    queue_position: 1,
    conversion: { status: 'queued', current_step: null, steps_completed: 0, steps_total: 9, duration_seconds: null },
  }),
];
export const FAILED: readonly JobDetail[] = [broken('web-03', 90), broken('web-05', 20)];
export const WAITING: readonly JobDetail[] = [
  one('web-11', 'pending', 100, { waiting_reason: '4 of 4 disks of host esx07 are being exported' }),
  one('web-10', 'pending', 100, { priority: 'high', queue_position: 3, estimated_start: at(-12) }),
];

const worker = (service: string, change: Partial<WorkerHeartbeat> = {}): WorkerHeartbeat => ({
  worker_id: `${service}-1`,
  service,
  version: '0.1.0',
  host: 'kvm-01',
  pid: 4711,
  pools: ['any'],
  slots: 4,
  active_jobs: [],
  paused: false,
  disk_free_bytes: 1_520 * GB,
  started_at: at(600),
  time: at(0),
  ...change,
});

export const STATUS: Status = {
  service: 'gateway',
  version: '0.1.0',
  uptime_seconds: 36_000,
  jobs: { pending: 734, exporting: 2, exported: 1, converting: 1, completed: 1_230, failed: 14, cancelled: 3 },
  queue_depth: { high: 1, normal: 733, low: 0 },
  workers: [
    worker('exporter', { active_jobs: ['a', 'b'] }),
    worker('converter', { active_jobs: ['c'], paused: true, disk_free_bytes: 96 * GB }),
    worker('gateway'),
  ],
};

export const BATCH: BatchSummary = {
  batch_id: 'batch-7k2m9x4qa3hd',
  name: 'night-1',
  status: 'running',
  reason: null,
  totals: {
    total: 900,
    pending: 700,
    exporting: 2,
    exported: 1,
    converting: 1,
    completed: 190,
    failed: 6,
    cancelled: 0,
  },
  percent_complete: 21.7,
  requested_by: 'ops',
  created_at: at(300),
  completed_at: null,
};

/** What the gateway answers to a look at a fleet. */
export const LOOK = {
  status: STATUS,
  health: {
    status: 'healthy',
    uptime_seconds: 36_000,
    vsphere_connection: 'ok',
    python_daemon_reachable: true,
    converter_reachable: true,
    exporter_reachable: true,
    database: 'ok',
    nats: 'ok',
    disk_space_available_gb: 96,
    active_jobs: 738,
  },
  hour: { exports: 38, bytesPerSecond: 88e6 },
  pages: {
    running: { jobs: RUNNING, more: false },
    waiting: { jobs: WAITING, more: true },
    failed: { jobs: FAILED, more: false },
  },
  batches: [BATCH],
  details: [...RUNNING, ...FAILED, ...WAITING],
} as const;
