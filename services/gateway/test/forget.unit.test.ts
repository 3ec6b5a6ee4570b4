import { JobOptions, Source } from '@hyper2kvm/contracts';
import { FORGOTTEN } from '@hyper2kvm/runtime';
import { describe, expect, it } from 'vitest';
import type { CleanupRow, JobRow } from '../src/database/index.js';
import { forgetSecrets } from '../src/vcenters/forget.js';

const SEALED = 'v1.abcdefgh.bm9uY2U.Ym9keQ';
const source = Source.parse({
  kind: 'vsphere',
  server: 'vc.example.com',
  username: 'svc',
  password_sealed: SEALED,
  tls: {},
});
const options = JobOptions.parse({ luks_keys_sealed: SEALED });
const job = (status: JobRow['status'], cleanup: CleanupRow['status'] | null = null) => ({
  status,
  options,
  source,
  cleanup:
    cleanup === null ? null : { status: cleanup, remove_files: true, failures: 0, message: null, next_try_at: null },
});

describe('the secrets of a job', () => {
  it.each(['pending', 'exporting', 'exported', 'converting', 'failed'] as const)('stay while it is %s', (status) => {
    expect(forgetSecrets(job(status))).toEqual({});
  });

  it.each(['completed', 'cancelled'] as const)('go when it is %s', (status) => {
    const forgotten = { ...job(status), ...forgetSecrets(job(status)) };
    expect(JSON.stringify(forgotten)).not.toContain(SEALED);
    // What is left is valid: a clean-up of its files may still be asked for.
    expect(Source.parse(forgotten.source)).toEqual({ ...source, password_sealed: FORGOTTEN });
    expect(JobOptions.parse(forgotten.options)).toEqual(JobOptions.parse({}));
    expect(forgetSecrets(forgotten)).toEqual({});
    expect(forgetSecrets(job(status, 'completed'))).toEqual(forgetSecrets(job(status)));
  });

  it.each(['queued', 'failed'] as const)('but for the login, while a clean-up at vCenter is %s', (cleanup) => {
    const { source: kept, options: left } = forgetSecrets(job('cancelled', cleanup));
    expect(kept).toBeUndefined();
    expect(left).not.toHaveProperty('luks_keys_sealed');
  });

  it('are not there of files', () => {
    const files = Source.parse({ kind: 'ova', path: '/vms/a.ova' });
    expect(forgetSecrets({ ...job('completed'), source: files, options: JobOptions.parse({}) })).toEqual({});
  });
});
