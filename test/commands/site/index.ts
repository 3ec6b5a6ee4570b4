import { inject } from 'vitest';
import type { Options } from 'execa';
import { JobDetail } from '@hyper2kvm/contracts';
import { hyperctl as run } from '../../integration/cli-standin.js';
import { until } from '../../integration/gateway-stack.js';
import type { VMS } from './vms.js';

export { json, StandIn } from '../../integration/cli-standin.js';
export { until } from '../../integration/gateway-stack.js';

/** A VM of the simulated vCenter. */
export type Vm = (typeof VMS)[number];

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment in which the commands run: the gateway without tokens, and an account at vCenter. */
export function siteEnv(): Record<string, string> {
  const { url, vcenter } = inject('site');
  return {
    HYPER2KVM_URL: url,
    VSPHERE_SERVER: vcenter.server,
    VSPHERE_USERNAME: vcenter.username,
    VSPHERE_PASSWORD: vcenter.password,
    VSPHERE_CA_FILE: vcenter.caFile,
  };
}

/** Runs the real binary against the real services to its end; no configuration of the machine counts. */
export async function hyperctl(args: readonly string[], env: Record<string, string> = {}, options: Options = {}) {
  const { exitCode, stdout, stderr } = await run(args, { ...siteEnv(), ...env }, { stdin: 'ignore', ...options });
  return { exitCode: exitCode ?? 255, stdout: String(stdout), stderr: String(stderr) } satisfies Ran;
}

/** Its one JSON document. @throws Error with what it said when it failed */
export async function hyperctlJson<T>(args: readonly string[], env: Record<string, string> = {}): Promise<T> {
  const ran = await hyperctl([...args, '--json'], env);
  if (ran.exitCode !== 0) throw new Error(`hyperctl ${args.join(' ')}: ${ran.exitCode}\n${ran.stdout}\n${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}

/** A job as it is now. */
export async function job(id: string): Promise<JobDetail> {
  const response = await fetch(`${inject('site').url}/api/v1/jobs/${id}`);
  return JobDetail.parse(await response.json());
}

/** Starts the move of a VM, and gives the job's id. */
export async function startJob(vm: Vm, ...flags: string[]): Promise<string> {
  return (await hyperctlJson<{ job_id: string }>(['convert', '--vm', vm, '--detach', ...flags])).job_id;
}

/** The job once it ended. */
export const ended = (id: string): Promise<JobDetail> =>
  until(
    () => job(id),
    ({ status }) => ['completed', 'failed', 'cancelled'].includes(status),
    60_000,
  );
