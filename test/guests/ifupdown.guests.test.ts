import { it } from 'vitest';
import { expectWhole, LIMIT_MS, withMovedGuest } from './move.js';

it('ifupdown, BIOS, ext4', { timeout: LIMIT_MS }, () =>
  withMovedGuest('ifupdown', {}, async (moved) => expectWhole(moved)),
);
