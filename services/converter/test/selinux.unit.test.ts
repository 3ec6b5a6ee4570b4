import { describe, expect, it } from 'vitest';
import { labelTargets, planSelinux } from '../src/steps/selinux/plan.js';
import type { Change } from '../src/steps/index.js';

const RHEL = `# This file controls the state of SELinux on the system.
# SELINUX= can take one of these three values:
#     enforcing - SELinux security policy is enforced.
SELINUX=enforcing
# SELINUXTYPE= can take one of these three values:
SELINUXTYPE=targeted
`;

describe('/etc/selinux/config', () => {
  it('enforcing and permissive guests are labelled', () => {
    expect(planSelinux(RHEL)).toEqual({ active: true, policy: 'targeted' });
    expect(planSelinux('SELINUX=permissive\nSELINUXTYPE=mls\n')).toEqual({ active: true, policy: 'mls' });
  });

  it('disabled ones and guests without it are not', () => {
    expect(planSelinux(RHEL.replace('=enforcing', '=disabled')).active).toBe(false);
    expect(planSelinux('').active).toBe(false);
  });
});

const change = (file: string): Change => ({ step: 'fstab', file, summary: 'x' });

it('each written file once, and none on the ESP', () => {
  const changes = [
    '/etc/fstab',
    '',
    '/etc/fstab',
    '/boot/efi/EFI/BOOT/BOOTX64.EFI',
    '/boot/grub2/grub.cfg',
    '/etc/a b',
  ];
  expect(labelTargets(changes.map(change))).toEqual(['/etc/fstab', '/boot/grub2/grub.cfg']);
});
