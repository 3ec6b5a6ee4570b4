import { it } from 'vitest';
import { expectWhole, LIMIT_MS, withMovedGuest } from './move.js';

it('sysvinit and udev without systemd, ifupdown', { timeout: LIMIT_MS }, () =>
  withMovedGuest('sysvinit', {}, async (moved) => expectWhole(moved)),
);
