import { Flags } from '@oclif/core';
import { JobId } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { UsageError } from './errors.js';

/** Which job: by its id, or the newest of a VM. */
export const JOB_FLAGS = {
  job: Flags.string({ char: 'j', description: 'Id of the job, for example job-7k2m9x4qa3hd.', exclusive: ['vm'] }),
  vm: Flags.string({ description: 'Name of the VM: its newest job.', exclusive: ['job'] }),
};

/** @throws UsageError when neither was given, or one for the other; CliError (exit code 4) when the VM has no job */
export async function findJob(
  client: GatewayClient,
  { job, vm }: { job?: string | undefined; vm?: string | undefined },
): Promise<string> {
  if (job !== undefined) {
    if (JobId.safeParse(job).success) return job;
    throw await (await import('./near-jobs.js')).notAJobId(client, job);
  }
  if (vm === undefined)
    throw new UsageError('which job? Give --job <id> or --vm <name>', 'hyperctl list shows the jobs');
  const [newest] = await client.jobs({ vm }, 1);
  if (newest !== undefined) return newest.job_id;
  throw await (await import('./near-jobs.js')).noJobOfVm(client, vm);
}

/** In which trace a job's work is told; undefined where the gateway does not say: then the command's own is. */
export const traceOf = (client: GatewayClient, job: string): Promise<string | undefined> =>
  client.job(job).then(
    ({ trace_id: trace }) => trace ?? undefined,
    () => undefined,
  );
