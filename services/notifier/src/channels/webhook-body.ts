import type { OutcomeFact } from '../fact.js';

/** What a receiver gets: the shapes of the design document's webhooks. */
export function webhookBody(fact: OutcomeFact): object {
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
