import type { Recipe } from '../recipe.js';
import { ifupdown } from './ifupdown.js';
import { luksRaid } from './luks-raid.js';
import { netplanLvm } from './netplan-lvm.js';
import { nmDracutBtrfs } from './nm-dracut-btrfs.js';
import { productionDb } from './production-db.js';
import { xfsKernels } from './xfs-kernels.js';

export const RECIPES = {
  'production-db': productionDb,
  ifupdown,
  'netplan-lvm': netplanLvm,
  'nm-dracut-btrfs': nmDracutBtrfs,
  'luks-raid': luksRaid,
  'xfs-kernels': xfsKernels,
} as const satisfies Record<string, Recipe>;

export type GuestName = keyof typeof RECIPES;
