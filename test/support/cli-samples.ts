import { concernOf, type Import, type Inspection } from '@hyper2kvm/contracts';
import type { BatchDetail, BatchTotals, InventoryVm, JobDetail, JobProgress, Verification } from '@hyper2kvm/contracts';

export const GB = 1e9;
export const START = Date.parse('2026-01-17T10:00:00Z');
export const JOB_ID = 'job-abc123def456';

/** A job that waits for its export. */
export function job(change: Partial<JobDetail> = {}): JobDetail {
  return {
    job_id: JOB_ID,
    vm_name: 'production-db',
    vcenter_server: 'vcenter.example.com',
    status: 'pending',
    phase: 'export',
    priority: 'normal',
    tags: [],
    percent_complete: 0,
    requested_by: 'local',
    retry_count: 0,
    error: null,
    created_at: '2026-01-17T10:00:00Z',
    updated_at: '2026-01-17T10:00:00Z',
    completed_at: null,
    progress: {
      phase: 'export',
      current_disk: 0,
      total_disks: 2,
      percent_complete: 0,
      eta_seconds: null,
      bytes_per_second: null,
      disks: [],
    },
    next_retry_at: null,
    queue_position: null,
    waiting_reason: null,
    cleanup: null,
    source_kind: 'vsphere',
    source_power: 'keep',
    bandwidth_bytes_per_second: null,
    export: { status: 'queued', duration: null, duration_seconds: null, bytes_downloaded: 0, total_bytes: 100 * GB },
    conversion: { status: 'waiting', current_step: null, steps_completed: 0, steps_total: 9, duration_seconds: null },
    machine: { cpus: 8, memory_bytes: 16 * 1024 ** 3, firmware: 'bios' },
    failure: null,
    error_file: null,
    retry_available: false,
    batch_id: null,
    wave: null,
    estimated_start: null,
    not_before: null,
    window: null,
    callback_url: null,
    connection: null,
    output_dir: null,
    files: [],
    domain_xml: null,
    duration_seconds: null,
    modifications: null,
    guest: null,
    concerns: [],
    proof: null,
    libvirt_domain: null,
    import: null,
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    ...change,
  };
}

const OUTPUT = '/var/lib/hyper2kvm/output/2026-01-17/production-db';

export const completed = (change: Partial<JobDetail> = {}): JobDetail =>
  job({
    status: 'completed',
    phase: 'cleanup',
    percent_complete: 100,
    completed_at: '2026-01-17T10:12:57Z',
    export: {
      status: 'completed',
      duration: '7m 25s',
      duration_seconds: 445,
      bytes_downloaded: 30 * GB,
      total_bytes: 100 * GB,
    },
    conversion: { status: 'completed', current_step: null, steps_completed: 9, steps_total: 9, duration_seconds: 272 },
    output_dir: OUTPUT,
    files: [`${OUTPUT}/disk1.qcow2`, `${OUTPUT}/disk2.qcow2`],
    domain_xml: `${OUTPUT}/domain.xml`,
    duration_seconds: 777,
    guest: 'Debian GNU/Linux 12 (bookworm)',
    proof: {
      booted: true,
      seconds: 41.2,
      kernel: '6.1.0-28-amd64',
      hostname: 'production-db',
      addresses: ['ens192 10.0.2.15/24'],
      failed_units: [],
      serial_log: `${OUTPUT}/proof/serial.log`,
      screenshot: `${OUTPUT}/proof/screen.png`,
    },
    ...change,
  });

export const failed = (change: Partial<JobDetail> = {}): JobDetail =>
  job({
    status: 'failed',
    error: 'no space left in /srv/out: 3 GB are missing',
    failure: {
      code: 'DISK_FULL',
      message: 'no space left in /srv/out: 3 GB are missing',
      advice: 'Free space, then: hyperctl retry --job <id>.',
      retryable: false,
    },
    ...change,
  });

/** Progress of an export of two disks, each done so far in GB. */
export const exporting = (done: readonly [number, number], state: readonly [string, string]): JobProgress => ({
  job_id: JOB_ID,
  attempt: 1,
  phase: 'export',
  time: '2026-01-17T10:00:01Z',
  percent_complete: 1,
  disks: [0, 1].map((index) => ({
    index: index + 1,
    name: index === 0 ? 'production-db.vmdk' : 'production-db_1.vmdk',
    capacity_bytes: (index === 0 ? 60 : 40) * GB,
    done_bytes: (done[index] ?? 0) * GB,
    bytes_downloaded: 1,
    state: state[index] as 'waiting',
  })),
});

export const converting = (step: JobProgress['step'], completed: number): JobProgress => ({
  job_id: JOB_ID,
  attempt: 1,
  phase: 'conversion',
  time: '2026-01-17T10:08:00Z',
  percent_complete: 10 * completed,
  ...(step === undefined ? {} : { step }),
  steps_completed: completed,
  steps_total: 9,
});

/** A line of the inventory; every third VM is switched off. */
export const inventoryVm = (number: number, change: Partial<InventoryVm> = {}): InventoryVm => ({
  moref: `vm-${1000 + number}`,
  name: `web-${number}`,
  inventory_path: `/DC1/vm/web/web-${number}`,
  folder: '/DC1/vm/web',
  datacenter: 'DC1',
  power_state: number % 3 === 0 ? 'poweredOff' : 'poweredOn',
  guest_name: 'Debian GNU/Linux 12 (64-bit)',
  cpus: 4,
  memory_bytes: 8 * 1024 ** 3,
  disks: 2,
  capacity_bytes: 171_800_000_000,
  used_bytes: 64_400_000_000,
  template: false,
  ...change,
});

/** A verification of two disks. `difference`: the first segment of the first one that differs. */
export const verified = (difference: number | null): Verification => ({
  status: 'completed',
  requested_at: '2026-01-18T09:00:00Z',
  percent_complete: 100,
  report: {
    identical: difference === null,
    files: [
      { file: `${OUTPUT}/disk1.qcow2`, segments: 1360, first_difference: difference },
      { file: `${OUTPUT}/disk2.qcow2`, segments: 1, first_difference: null },
    ],
    verified_at: '2026-01-18T09:03:32Z',
    duration_seconds: 212.4,
  },
  failure: null,
});

/** A look into two disks of a UEFI machine. */
export const inspected = (change: Partial<Inspection> = {}): Inspection => ({
  vm_name: 'web-01',
  source_kind: 'disks',
  machine: {
    name: 'web-01',
    cpus: 4,
    memory_bytes: 8 * 1024 ** 3,
    firmware: 'efi',
    secure_boot: false,
    tpm: true,
    disks: [
      { index: 1, name: 'root.vmdk', capacity_bytes: 60 * GB },
      { index: 2, name: 'data.vmdk', capacity_bytes: 40 * GB },
    ],
    nics: [
      { label: 'Network adapter 1', type: 'vmxnet3', network: 'VM Network' },
      { label: 'Network adapter 2', type: 'vmxnet3' },
    ],
  },
  inspection: {
    guest: {
      type: 'linux',
      product: 'Debian GNU/Linux 12 (bookworm)',
      distro: 'debian',
      arch: 'x86_64',
      root: '/dev/sda2',
      file_systems: [{ device: '/dev/sda2', type: 'ext4' }],
      mountpoints: [
        { path: '/', device: '/dev/sda2' },
        { path: '/boot/efi', device: '/dev/sda1' },
      ],
      kernels: ['6.1.0-28-amd64', '6.1.0-25-amd64'],
      init: 'systemd',
    },
    engine: 'native',
    changes: [
      {
        step: 'fstab',
        file: '/etc/fstab',
        summary: '/dev/sda2 becomes a UUID',
        diff: '--- /etc/fstab\n+++ /etc/fstab\n@@ -1 +1 @@\n-/dev/sda2 / ext4 defaults 0 1\n+UUID=abc / ext4 defaults 0 1\n',
      },
      { step: 'initramfs', file: '', summary: 'rebuilt for 6.1.0-28-amd64' },
    ],
    concerns: [],
    seconds: 21,
  },
  not_inspected: null,
  concerns: [concernOf('TPM_BLANK', 'The VM has a virtual TPM.')],
  refusal: null,
  estimate: { export_seconds: 120, conversion_seconds: 90, space_bytes: 40 * GB, free_bytes: 400 * GB },
  ...change,
});

export const importOf = (change: Partial<Import> = {}): Import => ({
  status: 'completed',
  requested_at: '2026-01-18T09:00:00Z',
  target: null,
  report: {
    libvirt_domain: 'production-db',
    libvirt_uri: 'qemu:///system',
    defined: true,
    started: false,
    concerns: [],
  },
  failure: null,
  ...change,
});

export const BATCH_ID = 'batch-7k2m9x4qa3hd';

/** Four VMs, none of which has begun. */
export function batch(change: Partial<BatchDetail> = {}, totals: Partial<BatchTotals> = {}): BatchDetail {
  const none = { exporting: 0, exported: 0, converting: 0, completed: 0, failed: 0, cancelled: 0 };
  return {
    batch_id: BATCH_ID,
    name: 'night-1',
    status: 'running',
    reason: null,
    totals: { total: 4, pending: 4, ...none, ...totals },
    percent_complete: 0,
    requested_by: 'ann',
    created_at: '2026-01-17T22:00:00Z',
    completed_at: null,
    max_parallel: 2,
    stop_after_failures: null,
    waves: [{ name: 'all', after: [], status: 'running', reason: null, totals: { total: 4, pending: 4, ...none } }],
    bytes_downloaded: 0,
    total_bytes: 0,
    eta_seconds: null,
    ...change,
  };
}
