import { Hook } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { ofJob } from '../src/hooks/index.js';
import { hookWords } from '../src/hooks/words.js';
import { passed } from '../src/batches/tickets.js';
import { exportedJob, job } from './given.js';

const QUIESCE = Hook.parse({ command: 'quiesce' });
const CALL = Hook.parse({ url: 'https://user-facing.example.com/hooks/secret-path?token=abc' });

it('speaks of a hook by its command or its host, and not of what stands in its URL', () => {
  expect(hookWords('before', QUIESCE)).toBe('The hook before the migration (command quiesce)');
  expect(hookWords('after', CALL)).toBe('The hook after the migration (call of user-facing.example.com)');
});

it('tells a hook before a VM of the VM, and one after it of its end', () => {
  expect(ofJob(job(), QUIESCE, 'before', null).about).toEqual({
    moment: 'before',
    scope: 'vm',
    job_id: 'job-abc123',
    vm_name: 'production-db',
  });
  const ended = exportedJob({ status: 'completed', outputDir: '/out/db', batchId: 'batch-abc123', wave: 'web' });
  expect(ofJob(ended, CALL, 'after', 'Spring').about).toEqual({
    moment: 'after',
    scope: 'vm',
    job_id: 'job-abc123',
    vm_name: 'production-db',
    status: 'completed',
    output_dir: '/out/db',
    batch_id: 'batch-abc123',
    batch_name: 'Spring',
    wave: 'web',
  });
});

it.each([
  ['queued', 'fail', undefined],
  ['completed', 'fail', true],
  ['failed', 'fail', false],
  ['failed', 'continue', true],
] as const)('a hook that is %s and says %s', (status, onFailure, expected) => {
  expect(passed({ status, hook: { ...QUIESCE, on_failure: onFailure } })).toBe(expected);
});
