import { expect, it } from 'vitest';
import { expectWhole, LIMIT_MS, withMovedGuest } from './move.js';

it('XFS root, separate /boot, three kernels without virtio in their initramfs', { timeout: LIMIT_MS }, () =>
  withMovedGuest('xfs-kernels', {}, async (moved) => {
    expectWhole(moved);
    const { kernels } = moved.manifest.guest;
    expect(kernels).toHaveLength(3);
    // As versions: 6.12 is the newest, and the one that starts.
    expect(kernels[0]).toMatch(/^6\.12\./);
    expect(moved.report.kernel).toBe(kernels[0]);
  }),
);
