import type { RetentionReport } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { retentionLines } from '../src/commands/retention.js';

const report: RetentionReport = {
  policy: { jobs_days: 90, artifacts_days: 1, audit_days: null, messages_days: 7 },
  enabled: false,
  dry_run: true,
  jobs: [{ job_id: 'job-old123', vm_name: 'web\u001B[31m', status: 'completed', completed_at: '2026-01-17T10:00:00Z' }],
  artifacts: [{ job_id: 'job-abc123', vm_name: 'db', folder: '/var/lib/hyper2kvm/export/job-abc123', bytes: 85.2e9 }],
  audit_entries: 3,
  messages: 12,
  last_run_at: null,
};

it('says what would go, and how to have it go', () => {
  const lines = retentionLines(report);
  expect(lines[0]).toBe(
    'Policy: jobs after 90 days, exported images after 1 day, audit kept; carried out on request alone (gateway.retention.enabled).',
  );
  expect(lines.join('\n')).not.toContain('\u001B');
  expect(lines[3]).toMatch(/^images {2}job-abc123 {2}db .*85\.2 GB \/var\/lib\/hyper2kvm\/export\/job-abc123$/);
  expect(lines.slice(-2)).toEqual([
    'Would remove: 1 job, images of 1 job, 3 entries of the audit.',
    'Do it: hyperctl retention --run',
  ]);
});

it('says what went', () => {
  const lines = retentionLines({ ...report, dry_run: false, enabled: true, jobs: [], artifacts: [], audit_entries: 0 });
  expect(lines).toEqual([
    'Policy: jobs after 90 days, exported images after 1 day, audit kept; carried out daily.',
    'Removed: 0 jobs, images of 0 jobs, 0 entries of the audit.',
  ]);
});

it('lists no thousands', () => {
  const jobs = Array.from({ length: 2000 }, (_, index) => ({
    job_id: `job-old${index}`,
    vm_name: 'web',
    status: 'completed',
    completed_at: '2026-01-17T10:00:00Z',
  }));
  const lines = retentionLines({ ...report, jobs });
  expect(lines).toHaveLength(55);
  expect(lines).toContain('and 1951 more (--json has all)');
  expect(lines.at(-2)).toMatch(/^Would remove: 2000 jobs, /);
});
