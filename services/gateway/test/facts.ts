import type { Failure } from '@hyper2kvm/contracts';
import type { WorkerFact } from '../src/jobs/decide.js';
import { MACHINE } from './given.js';

const by = (attempt: number) => ({ job_id: 'job-abc123', attempt, worker: 'worker-1' });
const started_at = '2026-01-17T09:30:00.000Z';

export const failure = (changes: Partial<Failure> = {}): Failure => ({
  code: 'EXPORT_TRANSFER',
  message: 'the line broke',
  advice: '',
  retryable: true,
  ...changes,
});

/** One fact of each kind. */
export const fact = {
  'export.started': (attempt = 1): WorkerFact => ({
    name: 'export.started',
    data: { ...by(attempt), started_at, machine: MACHINE },
  }),
  'export.completed': (attempt = 1): WorkerFact => ({
    name: 'export.completed',
    data: {
      ...by(attempt),
      artifact: {
        version: 1,
        job_id: 'job-abc123',
        attempt,
        machine: MACHINE,
        disks: [
          {
            index: 1,
            name: 'production-db.vmdk',
            file: 'disk1.qcow2',
            format: 'qcow2',
            capacity_bytes: 1000,
            bytes_downloaded: 700,
            verified: true,
          },
        ],
        created_at: started_at,
      },
      artifact_dir: '/work/job-abc123',
      pool: 'host-a',
      bytes_downloaded: 700,
      duration_seconds: 445.4,
    },
  }),
  'export.failed': (attempt = 1, what = failure()): WorkerFact => ({
    name: 'export.failed',
    data: { ...by(attempt), failure: what },
  }),
  'conversion.started': (attempt = 1): WorkerFact => ({
    name: 'conversion.started',
    data: { ...by(attempt), started_at },
  }),
  'conversion.completed': (attempt = 1): WorkerFact => ({
    name: 'conversion.completed',
    data: {
      ...by(attempt),
      vm_name: 'production-db',
      output_dir: '/out/production-db',
      files: ['/out/production-db/disk1.qcow2'],
      disks: [],
      domain_xml: '/out/production-db/domain.xml',
      manifest: '/out/production-db/manifest.json',
      duration_seconds: 272,
      modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
      guest: { product: 'Debian GNU/Linux 12' },
      concerns: ['look at this'],
    },
  }),
  'conversion.failed': (attempt = 1, what = failure({ code: 'CONVERSION_STEP' })): WorkerFact => ({
    name: 'conversion.failed',
    data: { ...by(attempt), failure: what, error_file: '/work/error.json' },
  }),
} satisfies Record<string, (attempt?: number, what?: Failure) => WorkerFact>;
