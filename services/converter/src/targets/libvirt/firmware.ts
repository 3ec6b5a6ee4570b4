import { access } from 'node:fs/promises';
import { JobError, type Machine } from '@hyper2kvm/contracts';
import type { DomainPlan } from './plan.js';

interface Pair {
  readonly code: string;
  readonly vars: string;
}

/** Where distributions keep OVMF: Debian and Ubuntu, Fedora and RHEL, Arch, SUSE. */
const PLAIN: readonly Pair[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', vars: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
  { code: '/usr/share/edk2/ovmf/OVMF_CODE.fd', vars: '/usr/share/edk2/ovmf/OVMF_VARS.fd' },
  { code: '/usr/share/edk2/x64/OVMF_CODE.4m.fd', vars: '/usr/share/edk2/x64/OVMF_VARS.4m.fd' },
  { code: '/usr/share/qemu/ovmf-x86_64-code.bin', vars: '/usr/share/qemu/ovmf-x86_64-vars.bin' },
  { code: '/usr/share/OVMF/OVMF_CODE.fd', vars: '/usr/share/OVMF/OVMF_VARS.fd' },
];
/** With Microsoft's keys enrolled. */
const SECURE: readonly Pair[] = [
  { code: '/usr/share/OVMF/OVMF_CODE_4M.ms.fd', vars: '/usr/share/OVMF/OVMF_VARS_4M.ms.fd' },
  { code: '/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd', vars: '/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd' },
];

/** The firmware that the source had. @throws JobError GUEST_UNSUPPORTED where OVMF is not installed */
export async function findFirmware({ firmware, secure_boot }: Machine): Promise<DomainPlan['firmware']> {
  if (firmware === 'bios') return { kind: 'bios' };
  for (const { code, vars } of secure_boot ? SECURE : PLAIN) {
    if ((await readable(code)) && (await readable(vars)))
      return { kind: 'efi', code, vars_template: vars, secure_boot };
  }
  const what = secure_boot ? 'UEFI with Secure Boot' : 'UEFI';
  throw new JobError('GUEST_UNSUPPORTED', `the VM starts with ${what}, and no such OVMF is installed on this worker`, {
    step: 'domain',
  });
}

const readable = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
