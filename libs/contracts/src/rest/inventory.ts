import { z } from 'zod';
import { InventoryFilter, InventoryVm } from '../inventory.js';
import { VcenterRequest } from './vcenter.js';

/** POST /api/v1/inventory/vms: a POST because the password is in it. */
export const VmListRequest = z.strictObject({
  vcenter: VcenterRequest.prefault({}),
  filter: z.strictObject(InventoryFilter.shape).prefault({}),
  cursor: z.string().optional(),
  limit: z.number().int().min(1).max(500).default(500),
});
export type VmListRequest = z.infer<typeof VmListRequest>;

export const VmList = z.object({
  vms: z.array(InventoryVm),
  total: z.number().int(),
  next_cursor: z.string().nullable(),
});
export type VmList = z.infer<typeof VmList>;
