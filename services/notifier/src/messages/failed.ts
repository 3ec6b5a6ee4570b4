import { durationWord, ERRORS, type JobFailed } from '@hyper2kvm/contracts';
import { oneLine } from './escape.js';
import { secondsBetween, section, type Report } from './report.js';

/** A job that ended without a VM: what happened, and what to try. */
export function failedReport(job: JobFailed): Report {
  const { failure } = job;
  const vm = oneLine(job.vm_name, 120);
  const { title } = ERRORS[failure.code];
  return {
    subject: `[hyper2kvm] ${vm}: failed, ${title}`,
    outcome: 'failed',
    headline: `${vm} was not converted: ${title}.`,
    facts: [
      ['VM', oneLine(job.vm_name)],
      ['Job', job.job_id],
      ['Phase', failure.step === undefined ? job.phase : `${job.phase}, step ${failure.step}`],
      ['Error', failure.code],
      ['Attempts', String(job.retry_count + 1)],
      ['Duration', durationWord(secondsBetween(job.created_at, job.completed_at))],
      ...(job.tags.length === 0 ? [] : [['Tags', job.tags.join(', ')] as const]),
      ...(job.trace_id === undefined ? [] : [['Trace', job.trace_id] as const]),
    ],
    sections: [
      ...section('What happened', [failure.message]),
      // The advice of the error table says "<id>" where the job's goes.
      ...section('What to try', failure.advice === '' ? [] : [failure.advice.replaceAll('<id>', job.job_id)]),
      ...section('More', [`hyperctl status --job ${job.job_id}`, `hyperctl logs --job ${job.job_id}`], true),
    ],
  };
}
