import { JobId, type JobSummary } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { CliError, UsageError } from './errors.js';
import { EXIT } from './exit-codes.js';
import { printable, shellQuote } from './format.js';
import { didYouMean, nearest } from './near.js';

/** So many of the newest jobs are looked at: whatever was mistyped is mostly one of these. */
const LOOKED_AT = 500;

/** What is told where a VM has no job: near names, or that it was no name at all. */
export async function noJobOfVm(client: GatewayClient, vm: string): Promise<CliError> {
  if (JobId.safeParse(vm).success)
    return new UsageError(`"${vm}" is the id of a job, not the name of a VM`, `--job ${vm} instead of --vm`);
  const names = (await newest(client)).map(({ vm_name: name }) => printable(name));
  const near = nearest(vm, names);
  const [best] = near;
  return new CliError(`there is no job of a VM named ${vm}${didYouMean(near)}`, {
    code: 'JOB_NOT_FOUND',
    exitCode: EXIT.notFound,
    advice: best === undefined ? 'hyperctl list shows the jobs' : `--vm ${shellQuote(best)}; all jobs: hyperctl list`,
  });
}

/** What is told where something is given as a job's id that cannot be one. */
export async function notAJobId(client: GatewayClient, word: string): Promise<CliError> {
  const isVm = (await client.jobs({ vm: word }, 1)).length > 0;
  if (isVm)
    return new UsageError(
      `"${word}" is the name of a VM, not the id of a job`,
      `--vm ${shellQuote(word)} instead of --job: its newest job`,
    );
  const near = nearest(
    word,
    (await newest(client)).map(({ job_id: id }) => id),
    1,
  );
  return new UsageError(
    `"${word}" is no id of a job, such as job-7k2m9x4qa3hd${didYouMean(near)}`,
    'hyperctl list shows the jobs',
  );
}

/** Adds the id that was probably meant to the word that there is no such job. */
export async function addNearIds(error: CliError, client: GatewayClient, id: string): Promise<void> {
  const jobs = await newest(client);
  const [best] = nearest(
    id,
    jobs.map(({ job_id: one }) => one),
    1,
  );
  if (best === undefined || best === id) return;
  const vm = printable(jobs.find(({ job_id: one }) => one === best)?.vm_name ?? '');
  error.why = `${error.why ?? error.message} Near to it is ${best} (VM ${vm}).`;
  error.advice = `--job ${best}; all jobs: hyperctl list`;
}

const newest = (client: GatewayClient): Promise<JobSummary[]> => client.jobs({}, LOOKED_AT);
