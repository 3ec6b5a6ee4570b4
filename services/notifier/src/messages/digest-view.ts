import type { BatchCompleted } from '@hyper2kvm/contracts';
import type { Message } from '../channels/channel.js';
import type { JobFact } from '../fact.js';
import { batchView } from './batch-view.js';
import { jobView } from './job-view.js';
import type { View } from './view.js';
import { outcomeOf, plural } from './words.js';

/** Of one kind: more make no message that somebody reads. */
const MOST = 200;

/** Several ends, told at once. */
export function digestView({ facts, digest, time }: Message): View {
  const jobs = facts.filter((fact): fact is JobFact => fact.kind !== 'batch');
  const ofKind = (kind: JobFact['kind']): JobFact[] => jobs.filter((job) => job.kind === kind);
  const [completed, failed, cancelled] = [ofKind('completed'), ofKind('failed'), ofKind('cancelled')];
  const counts = { completed: completed.length, failed: failed.length, cancelled: cancelled.length };
  const ended = facts.flatMap((fact) => (fact.kind === 'batch' ? [fact.data] : []));
  const batch = digest?.batch ?? (digest?.reason === 'batch' ? ended[0] : undefined);
  const batches = ended.filter(({ batch_id }) => batch_id !== batch?.batch_id);
  const own = new Set(jobs.map((job) => job.data.batch_id));
  const [only] = own.size === 1 ? own : [];
  const batchId = batch?.batch_id ?? only;
  const quiet = digest?.reason === 'quiet hours';
  return {
    headline: headlineOf(jobs.length, batches.length, outcomeOf(counts), quiet ? undefined : batchId, batch),
    outcome: jobs.length === 0 ? `${plural(batches.length, 'batch', 'batches')} through` : outcomeOf(counts),
    quiet_hours: quiet,
    batch: batch && batchView(batch),
    batch_id: batchId,
    total: jobs.length,
    ...counts,
    failed_jobs: failed.slice(0, MOST).map(jobView),
    failed_more: Math.max(0, failed.length - MOST),
    completed_jobs: completed.slice(0, MOST).map(jobView),
    completed_more: Math.max(0, completed.length - MOST),
    cancelled_jobs: cancelled.slice(0, MOST).map(jobView),
    cancelled_more: Math.max(0, cancelled.length - MOST),
    batches: batches.map(batchView),
    time,
    commands: commandsOf(batchId === undefined ? [] : [batchId], batches, counts.failed),
  };
}

function commandsOf(batch: readonly string[], others: readonly BatchCompleted[], failed: number): string[] {
  const reports = [...batch, ...others.map(({ batch_id }) => batch_id)].map((id) => `hyperctl batches report ${id}`);
  const [only] = batch;
  if (failed > 0)
    reports.push(['hyperctl list', ...(only === undefined ? [] : [`--batch ${only}`]), '--status failed'].join(' '));
  return reports.length > 0 ? reports : ['hyperctl list'];
}

function headlineOf(
  jobs: number,
  batches: number,
  outcome: string,
  batchId: string | undefined,
  batch: BatchCompleted | undefined,
): string {
  if (batch) return batchView(batch).headline;
  if (batchId !== undefined) return `The batch ${batchId} goes on. Since the last message: ${outcome}.`;
  const ended = [
    ...(jobs === 0 ? [] : [outcome]),
    ...(batches === 0 ? [] : [`${plural(batches, 'batch', 'batches')} through`]),
  ];
  return `While it was quiet: ${ended.join('; ')}.`;
}
