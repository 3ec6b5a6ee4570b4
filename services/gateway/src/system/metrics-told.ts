import { jobCancelled, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import { counter } from '@hyper2kvm/runtime';

const ENDS = new Map([
  [jobCompleted.type, 'completed'],
  [jobFailed.type, 'failed'],
  [jobCancelled.type, 'cancelled'],
]);

const ended = counter<'status'>('hyper2kvm_jobs_ended_total', 'Jobs that came to their end, by how', {
  status: [...ENDS.values()],
});

/** Facts of the gateway that left the outbox: each leaves once, through one gateway. */
export function countTold(types: readonly string[]): void {
  for (const type of types) {
    const status = ENDS.get(type);
    if (status !== undefined) ended.inc({ status });
  }
}
