import { access } from 'node:fs/promises';
import { JobError, type Machine } from '@hyper2kvm/contracts';
import { describedFirmware, type FirmwareFiles } from './firmware-descriptors.js';
import type { DomainPlan } from './plan.js';

/** Where distributions without descriptors keep OVMF: Debian and Ubuntu, Fedora and RHEL, Arch, SUSE. */
const PLAIN: readonly FirmwareFiles[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', vars: '/usr/share/OVMF/OVMF_VARS_4M.fd', format: 'raw' },
  { code: '/usr/share/edk2/ovmf/OVMF_CODE.fd', vars: '/usr/share/edk2/ovmf/OVMF_VARS.fd', format: 'raw' },
  { code: '/usr/share/edk2/x64/OVMF_CODE.4m.fd', vars: '/usr/share/edk2/x64/OVMF_VARS.4m.fd', format: 'raw' },
  { code: '/usr/share/qemu/ovmf-x86_64-code.bin', vars: '/usr/share/qemu/ovmf-x86_64-vars.bin', format: 'raw' },
  { code: '/usr/share/OVMF/OVMF_CODE.fd', vars: '/usr/share/OVMF/OVMF_VARS.fd', format: 'raw' },
];
/** With Microsoft's keys enrolled. */
const SECURE: readonly FirmwareFiles[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.ms.fd', vars: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd', format: 'raw' },
  {
    code: '/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd',
    vars: '/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd',
    format: 'raw',
  },
];

/**
 * The firmware that the source had, from the host's own descriptors where it has them: code and NVRAM template are a pair, of
 * one build and one format.
 * @throws JobError GUEST_UNSUPPORTED where OVMF is not installed
 */
export async function findFirmware(
  { firmware, secure_boot: secure }: Pick<Machine, 'firmware' | 'secure_boot'>,
  folders?: readonly string[],
): Promise<DomainPlan['firmware']> {
  if (firmware === 'bios') return { kind: 'bios' };
  for (const { code, vars, format } of [...(await describedFirmware(secure, folders)), ...(secure ? SECURE : PLAIN)]) {
    if ((await readable(code)) && (await readable(vars)))
      return { kind: 'efi', code, vars_template: vars, secure_boot: secure, format };
  }
  const what = secure ? 'UEFI with Secure Boot' : 'UEFI';
  const message = `the VM starts with ${what}, and no such OVMF is installed on this worker: install ovmf (edk2-ovmf)`;
  throw new JobError('GUEST_UNSUPPORTED', message, { step: 'domain' });
}

const readable = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
