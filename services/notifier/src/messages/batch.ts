import { durationWord, type BatchCompleted } from '@hyper2kvm/contracts';
import { oneLine } from './escape.js';
import { plural, secondsBetween, section, type Report } from './report.js';

/** A batch all of whose VMs came to their end, good or bad. */
export function batchReport(batch: BatchCompleted): Report {
  const { batch_id, completed, failed, cancelled, created_at, completed_at } = batch;
  const name = oneLine(batch.name ?? batch_id, 120);
  const total = completed + failed + cancelled;
  const rest = [...(failed === 0 ? [] : [`${failed} failed`]), ...(cancelled === 0 ? [] : [`${cancelled} cancelled`])];
  const outcome = [`${completed} of ${plural(total, 'VM')} converted`, ...rest].join(', ');
  return {
    subject: `[hyper2kvm] batch ${name}: ${outcome}`,
    outcome: failed > 0 ? 'failed' : 'completed',
    headline: `The batch ${name} is through: ${outcome}.`,
    facts: [
      ['Batch', batch_id],
      ...(batch.name === undefined ? [] : [['Name', oneLine(batch.name)] as const]),
      ['VMs', String(total)],
      ['Converted', String(completed)],
      ['Failed', String(failed)],
      ['Cancelled', String(cancelled)],
      ...(batch.requested_by === undefined ? [] : [['Asked for by', oneLine(batch.requested_by)] as const]),
      ...(created_at === undefined || completed_at === undefined
        ? []
        : [['Duration', durationWord(secondsBetween(created_at, completed_at))] as const]),
    ],
    sections: section(
      'More',
      [
        `hyperctl batches report ${batch_id}`,
        ...(failed === 0 ? [] : [`hyperctl list --batch ${batch_id} --status failed`]),
      ],
      true,
    ),
  };
}
