import type { Machine } from '@hyper2kvm/contracts';
import { safeName } from '../../names.js';
import {
  findFirmware,
  hostCapabilities,
  hostMemory,
  hostNetworks,
  isLocal,
  knownDomains,
  planNics,
  type HostNetworks,
  type Plug,
  type Virsh,
} from '../libvirt/index.js';
import type { Target } from '../target.js';
import type { TargetQuestion } from './check.js';
import type { Findings } from './findings.js';

/** The whole answer is waited for 30 s. */
const LIMIT_MS = 8_000;

/** What the libvirt host has. @throws JobError LIBVIRT when it cannot be reached */
export async function checkHost(
  question: TargetQuestion & { readonly target: Target },
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const { target, machine } = question;
  const libvirt: Virsh = { uri: target.uri, signal, timeoutMs: LIMIT_MS };
  const [domains, memory, networks, capabilities] = await Promise.all([
    knownDomains(libvirt),
    hostMemory(libvirt),
    hostNetworks(libvirt),
    hostCapabilities(libvirt),
  ]);
  const name = safeName(question.vm_name);
  const uuid = machine.bios_uuid?.toLowerCase();
  for (const domain of domains)
    if (domain.name === name || domain.uuid === uuid)
      findings.problem('DOMAIN_EXISTS', `${target.uri} already has a domain ${domain.name} (${domain.uuid})`);
  checkMemory(machine, memory, target.uri, findings);
  await checkNetworks(question, networks, findings);
  if (machine.tpm === true && !capabilities.emulatesTpm)
    findings.concern('TPM_MISSING', `${target.uri} cannot emulate a TPM`);
  await checkLoader(machine, libvirt, capabilities.loaders, findings);
}

function checkMemory(
  machine: Machine,
  { totalBytes, availableBytes }: { totalBytes: number; availableBytes: number },
  uri: string,
  findings: Findings,
): void {
  const needs = `the VM has ${gib(machine.memory_bytes)} of memory`;
  if (totalBytes === 0) return;
  if (machine.memory_bytes > totalBytes)
    findings.problem('TARGET_UNSUITABLE', `${needs}, and ${uri} has ${gib(totalBytes)} in all`);
  else if (machine.memory_bytes > availableBytes)
    findings.concern('TARGET', `${needs}, and ${uri} has ${gib(availableBytes)} free now`);
}

async function checkNetworks(
  { machine, options, target }: TargetQuestion & { readonly target: Target },
  host: HostNetworks,
  findings: Findings,
): Promise<void> {
  const maps = { job: options.network_map, target: target.networkMap };
  const nics = planNics(
    machine.nics.map((nic) => ({ ...nic, mac: nic.mac ?? '' })),
    [],
    maps,
    target.network,
  );
  const plugs = new Map(nics.map(({ network = target.network }) => [`${network.type} ${network.name}`, network]));
  for (const plug of plugs.values()) await checkPlug(plug, host, target.uri, options.start === true, findings);
}

async function checkPlug(
  { type, name }: Plug,
  host: HostNetworks,
  uri: string,
  start: boolean,
  findings: Findings,
): Promise<void> {
  if (type === 'bridge') {
    const there = await host.hasBridge(name);
    if (there === false) findings.problem('TARGET_UNSUITABLE', `${uri} has no bridge ${name}`);
    if (there === undefined) findings.concern('TARGET', `whether there is a bridge ${name}, ${uri} cannot tell`);
  } else if (!host.networks.includes(name)) {
    findings.problem('TARGET_UNSUITABLE', `${uri} has no network ${name}`);
  } else if (!host.active.includes(name)) {
    const message = `the network ${name} of ${uri} is not active: virsh net-start ${name}`;
    if (start) findings.problem('TARGET_UNSUITABLE', message);
    else findings.concern('TARGET', message);
  }
}

/** The NVRAM comes from this worker; the code that goes with it has to lie at the same path on the host. */
async function checkLoader(
  machine: Machine,
  { uri }: Virsh,
  loaders: readonly string[],
  findings: Findings,
): Promise<void> {
  if (machine.firmware !== 'efi' || isLocal(uri)) return;
  const firmware = await findFirmware(machine);
  if (firmware.kind !== 'efi' || loaders.includes(firmware.code)) return;
  findings.problem('TARGET_UNSUITABLE', `the VM starts with UEFI, and ${uri} does not have ${firmware.code}`);
}

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
