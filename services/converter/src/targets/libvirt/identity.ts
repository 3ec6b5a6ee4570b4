import { createHash } from 'node:crypto';
import type { Machine } from '@hyper2kvm/contracts';

/** The machine with a MAC for every NIC: one that has none in its source (a local file) gets a stable one of QEMU's range. */
export function completeMachine(machine: Machine, jobId: string): { machine: Machine; generatedMacs: string[] } {
  const generatedMacs: string[] = [];
  const nics = machine.nics.map((nic, index) => {
    if (nic.mac !== undefined) return nic;
    const mac = generatedMac(jobId, index);
    generatedMacs.push(mac);
    return { ...nic, mac };
  });
  return { machine: { ...machine, nics }, generatedMacs };
}

/** The same on every attempt of a job: the guest's configuration is pinned to it. */
function generatedMac(seed: string, index: number): string {
  const bytes = createHash('sha256').update(`${seed} nic ${index}`).digest('hex').match(/../g) ?? [];
  return ['52', '54', '00', ...bytes.slice(0, 3)].join(':');
}

/** The source's BIOS UUID, which the guest sees in its SMBIOS and licences may be bound to; else a stable one. */
export function domainUuid(machine: Machine, jobId: string): string {
  const given = machine.bios_uuid?.toLowerCase();
  if (given !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given) && /[1-9a-f]/.test(given))
    return given;
  const hex = createHash('sha256').update(`${jobId} domain`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
