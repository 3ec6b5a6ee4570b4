import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import { runGuarded } from '@hyper2kvm/runtime';
import type { DomainPlan } from './plan.js';
import { domainXml } from './xml.js';

const LIMIT_MS = 60_000;
/** A libvirt without swtpm refuses the whole domain. */
const NO_TPM = /TPM version .* is not supported|TPM .*(not supported|unsupported)|swtpm/i;

export interface Defined {
  readonly name: string;
  readonly concerns: readonly string[];
}

/**
 * Defines the domain; again is fine. Where libvirt cannot emulate a TPM it is left out, and that is told: a VM that runs is of
 * more use.
 * @throws JobError LIBVIRT when another domain has its name, or libvirt cannot be reached
 */
export async function defineDomain(
  uri: string,
  plan: DomainPlan,
  xmlFile: string,
  signal: AbortSignal,
): Promise<Defined> {
  const known = await virsh(uri, ['list', '--all', '--uuid', '--name'], signal);
  for (const line of known.split('\n')) {
    const match = /^\s*([0-9a-f-]{36})\s+(.+?)\s*$/.exec(line);
    if (match?.[2] === plan.name && match[1] !== plan.uuid) {
      throw new JobError(
        'LIBVIRT',
        `${uri} already has another domain named ${plan.name} (${match[1]}); it was left alone`,
        { step: 'define' },
      );
    }
  }
  try {
    await virsh(uri, ['define', '--validate', xmlFile], signal);
    return { name: plan.name, concerns: [] };
  } catch (error) {
    if (!plan.tpm || !(error instanceof JobError && NO_TPM.test(error.message))) throw error;
    const without = domainXml({ ...plan, tpm: false }, path.dirname(xmlFile));
    await defineText(uri, without, signal);
    const advice = `install swtpm and swtpm-tools there, then: virsh -c ${uri} define '${xmlFile}'`;
    return { name: plan.name, concerns: [`define: ${uri} cannot emulate a TPM, so the domain has none; ${advice}`] };
  }
}

async function defineText(uri: string, xml: string, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-define-'));
  try {
    const file = path.join(folder, 'domain.xml');
    await writeFile(file, xml);
    await virsh(uri, ['define', '--validate', file], signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function virsh(uri: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    const env = { LC_ALL: 'C.UTF-8' };
    return (await runGuarded('virsh', ['-q', '-c', uri, ...args], { signal, env, timeoutMs: LIMIT_MS })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    throw new JobError('LIBVIRT', `libvirt (${uri}): ${why}`, { step: 'define', cause: error });
  }
}
