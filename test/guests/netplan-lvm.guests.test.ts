import { expect, it } from 'vitest';
import { expectWhole, LIMIT_MS, withMovedGuest } from './move.js';

it('netplan and networkd, UEFI without a fallback loader, LVM over two disks', { timeout: LIMIT_MS }, () =>
  withMovedGuest('netplan-lvm', { vm: { firmware: 'efi' } }, async (moved) => {
    expectWhole(moved);
    expect(moved.manifest.domain).toMatchObject({ machine: 'q35', firmware: { kind: 'efi', secure_boot: false } });
  }),
);
