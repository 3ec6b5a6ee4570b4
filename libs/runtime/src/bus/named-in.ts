/** `job.completed.job-7k2m9x4qa3hd` for a line of the log: whoever looks for the job finds it. */
export function namedIn(subject: string): Record<string, string> {
  const id = subject.split('.').at(-1) ?? '';
  const key = [
    ['job-', 'job_id'],
    ['batch-', 'batch_id'],
    ['hook-', 'hook_id'],
  ].find(([prefix = '']) => id.startsWith(prefix))?.[1];
  return { subject, ...(key === undefined ? {} : { [key]: id }) };
}
