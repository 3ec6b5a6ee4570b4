import { z } from 'zod';
import { Bytes } from './words.js';

export const PowerState = z.enum(['poweredOn', 'poweredOff', 'suspended']);

/** Which VMs of a vCenter are wanted; what is left out does not matter. All conditions have to hold. */
export const InventoryFilter = z.object({
  /** Glob (`*`, `?`, `[…]`, `{a,b}`) over the name or, where it holds a `/`, the inventory path. Case does not matter. */
  name: z.string().min(1).max(1024).optional(),
  /** Inventory path of a folder, or a glob over it: `/DC1/vm/web*`. */
  folder: z.string().min(1).max(1024).optional(),
  power_state: PowerState.optional(),
  /** Names of vSphere tags, all of them: `production`, or `category:production`. */
  tags: z.array(z.string().min(1).max(256)).max(32).optional(),
  templates: z.boolean().default(false),
});
export type InventoryFilter = z.infer<typeof InventoryFilter>;

/** A line of the inventory. */
export const InventoryVm = z.object({
  moref: z.string(),
  name: z.string(),
  /** `/DC1/vm/web/web-01` */
  inventory_path: z.string(),
  /** `/DC1/vm/web` */
  folder: z.string(),
  datacenter: z.string().optional(),
  host: z.string().optional(),
  power_state: PowerState.optional(),
  guest_name: z.string().optional(),
  cpus: z.number().int().nonnegative(),
  memory_bytes: Bytes,
  disks: z.number().int().nonnegative(),
  /** Sum of the disks' capacities. */
  capacity_bytes: Bytes,
  /** What the VM takes up on its datastores. */
  used_bytes: Bytes.optional(),
  template: z.boolean(),
  /** `category:tag`; missing where tags were not asked for. */
  tags: z.array(z.string()).optional(),
});
export type InventoryVm = z.infer<typeof InventoryVm>;
