import { durationWord, type BatchCompleted } from '@hyper2kvm/contracts';
import { oneLine } from './escape.js';
import type { View } from './view.js';
import { outcomeOf, secondsBetween } from './words.js';

/** A batch all of whose VMs came to their end, good or bad. */
export function batchView(batch: BatchCompleted): View & { readonly headline: string } {
  const { batch_id, completed, failed, cancelled, created_at, completed_at, requested_by } = batch;
  const name = oneLine(batch.name ?? batch_id, 120);
  const outcome = outcomeOf(batch);
  return {
    headline: `The batch ${name} is through: ${outcome}.`,
    outcome,
    batch_id,
    batch_name: name,
    total: completed + failed + cancelled,
    completed,
    failed,
    cancelled,
    requested_by,
    time: completed_at,
    duration:
      created_at === undefined || completed_at === undefined
        ? undefined
        : durationWord(secondsBetween(created_at, completed_at)),
    commands: [
      `hyperctl batches report ${batch_id}`,
      ...(failed === 0 ? [] : [`hyperctl list --batch ${batch_id} --status failed`]),
    ],
  };
}
