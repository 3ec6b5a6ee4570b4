import type { OutcomeFact } from '../fact.js';
import type { Message } from './channel.js';

/** What a receiver gets; undefined for a digest: machines are told of each fact. */
export function webhookBody({ kind, facts }: Message): object | undefined {
  if (kind === 'test') return { status: 'test', message: 'This is a test of hyper2kvm. Nothing has happened.' };
  const [fact] = facts;
  return kind === 'fact' && fact !== undefined ? factBody(fact) : undefined;
}

/** The shapes of the design document's webhooks. */
export function factBody(fact: OutcomeFact): object {
  switch (fact.kind) {
    case 'completed': {
      const { job_id, vm_name, result } = fact.data;
      const { output_dir, files, duration_seconds, modifications } = result;
      return { job_id, status: 'success', vm_name, output_dir, files, duration_seconds, modifications };
    }
    case 'failed': {
      const { job_id, vm_name, failure, error_file = null, retry_count, retry_available } = fact.data;
      return { job_id, status: 'failed', vm_name, error: failure.message, error_file, retry_count, retry_available };
    }
    case 'cancelled': {
      const { job_id, vm_name } = fact.data;
      return { job_id, status: 'cancelled', vm_name };
    }
    case 'batch': {
      const { batch_id, name = null, completed, failed, cancelled } = fact.data;
      const totals = { total: completed + failed + cancelled, completed, failed, cancelled };
      return { batch_id, status: 'completed', name, totals };
    }
  }
}
