import { it } from 'vitest';
import { expectWhole, LIMIT_MS, withMovedGuest } from './move.js';

it("NetworkManager's keyfiles, dracut, BIOS, btrfs with the root in a subvolume", { timeout: LIMIT_MS }, () =>
  withMovedGuest('nm-dracut-btrfs', {}, async (moved) => expectWhole(moved)),
);
