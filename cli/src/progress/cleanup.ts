import type { CleanupState, JobDetail } from '@hyper2kvm/contracts';
import { printable } from '../lib/format.js';

/** What an export left, and what becomes of it. */
export function notCleaned({ message, next_try_at: next }: CleanupState): string {
  const what = printable(message ?? 'something was left behind').replace(/\.$/, '');
  return next === null
    ? `${what}. It is not tried again: remove it in vCenter`
    : `${what}. It is tried again at ${next.replace(/\.\d+Z$/, 'Z')}`;
}

/** How far the removal of what an export left is; `stopped` also while the next try is due only later. */
export function cleaningOf(job: JobDetail): 'none' | 'goes on' | 'done' | 'stopped' {
  const { cleanup } = job;
  if (cleanup === null) return 'none';
  if (cleanup.status === 'completed') return 'done';
  return cleanup.status === 'failed' || cleanup.next_try_at !== null ? 'stopped' : 'goes on';
}
