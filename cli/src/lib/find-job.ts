import { Flags } from '@oclif/core';
import type { GatewayClient } from './client.js';
import { UsageError } from './errors.js';

/** Which job: by its id, or the newest of a VM. */
export const JOB_FLAGS = {
  job: Flags.string({ char: 'j', description: 'Id of the job, for example job-7k2m9x4qa3hd.', exclusive: ['vm'] }),
  vm: Flags.string({ description: 'Name of the VM: its newest job.', exclusive: ['job'] }),
};

/** @throws UsageError when neither was given; CliError (exit code 4) when the VM has no job */
export async function findJob(
  client: GatewayClient,
  flags: { job?: string | undefined; vm?: string | undefined },
): Promise<string> {
  if (flags.job !== undefined) return flags.job;
  if (flags.vm === undefined)
    throw new UsageError('which job? Give --job <id> or --vm <name>', 'hyperctl list shows the jobs');
  return (await client.jobOfVm(flags.vm)).job_id;
}
