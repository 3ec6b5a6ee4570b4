import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { concernOf, JobError, type Concern } from '@hyper2kvm/contracts';
import { findDomain } from './existing.js';
import { hostCapabilities } from './host.js';
import type { DomainPlan } from './plan.js';
import { isLocal, virsh, type Virsh } from './virsh.js';
import { domainXml } from './xml.js';

/** A libvirt without swtpm refuses the whole domain. */
const NO_TPM = /TPM version .* is not supported|TPM .*(not supported|unsupported)|swtpm/i;

export interface Defined {
  readonly name: string;
  /** False where libvirt had the same domain already: it stays as its owner has it by now. */
  readonly defined: boolean;
  readonly started: boolean;
  readonly concerns: readonly Concern[];
}

/**
 * Defines the domain of an output folder, and starts it where that is asked for; again is fine. Where libvirt cannot emulate
 * a TPM it is left out, and that is told: a VM that runs is of more use.
 * @param folder absolute, with the images; the same path on the libvirt host
 * @throws JobError DOMAIN_EXISTS when there is another of its name or UUID, LIBVIRT when libvirt cannot be reached or refuses
 */
export async function defineDomain(
  libvirt: Virsh,
  plan: DomainPlan,
  folder: string,
  { start = false } = {},
): Promise<Defined> {
  const known = await findDomain(libvirt, plan, folder);
  const hasTpm = known === undefined ? await define(libvirt, await adapted(libvirt, plan), folder) : known.hasTpm;
  const started = start && (await startDomain(libvirt, plan.uuid));
  return {
    name: known?.name ?? plan.name,
    defined: known === undefined,
    started,
    concerns: plan.tpm && !hasTpm ? [withoutTpm(libvirt.uri)] : [],
  };
}

/** What emulates it is the host's: whether this worker has KVM says nothing of another machine. */
async function adapted(libvirt: Virsh, plan: DomainPlan): Promise<DomainPlan> {
  if (isLocal(libvirt.uri)) return plan;
  return { ...plan, accelerator: (await hostCapabilities(libvirt)).accelerator };
}

/** Returns whether it has the TPM of its plan. */
async function define(libvirt: Virsh, plan: DomainPlan, folder: string): Promise<boolean> {
  try {
    await defineText(libvirt, domainXml(plan, folder));
    return plan.tpm;
  } catch (error) {
    if (!plan.tpm || !(error instanceof JobError && NO_TPM.test(error.message))) throw error;
    await defineText(libvirt, domainXml({ ...plan, tpm: false }, folder));
    return false;
  }
}

const withoutTpm = (uri: string): Concern =>
  concernOf('TPM_MISSING', `define: ${uri} cannot emulate a TPM, so the domain has none`);

async function defineText(libvirt: Virsh, xml: string): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-define-'));
  try {
    const file = path.join(folder, 'domain.xml');
    await writeFile(file, xml);
    await virsh(libvirt, 'define', '--validate', file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns true when it runs. */
async function startDomain(libvirt: Virsh, uuid: string): Promise<boolean> {
  const state = (await virsh(libvirt, 'domstate', '--domain', uuid)).trim();
  if (['shut off', 'crashed', 'no state'].includes(state)) await virsh(libvirt, 'start', '--domain', uuid);
  return true;
}
