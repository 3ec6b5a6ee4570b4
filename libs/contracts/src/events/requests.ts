import { z } from 'zod';
import { InventoryFilter, InventoryVm } from '../inventory.js';
import { Machine } from '../machine.js';
import { Source, VsphereSource } from '../options.js';
import { defineRequest, type RequestDefinition } from './define.js';

/** What is this VM? Answered by any exporter; it also proves that the login works, or that local files can be read. */
export const describeVm = defineRequest({
  subject: 'exporter.describe-vm',
  request: z.object({ source: Source, vm_name: z.string().min(1) }),
  reply: Machine,
  timeoutMs: 13_000,
});

/** Which VMs are there? In pages, so that an answer stays below NATS's message size. */
export const listVms = defineRequest({
  subject: 'exporter.list-vms',
  request: z.object({
    source: VsphereSource,
    filter: InventoryFilter.prefault({}),
    offset: z.number().int().nonnegative().default(0),
    limit: z.number().int().min(1).max(500).default(500),
  }),
  reply: z.object({
    /** Ordered by inventory path. */
    vms: z.array(InventoryVm),
    /** That pass the filter, on all pages. */
    total: z.number().int().nonnegative(),
  }),
  timeoutMs: 60_000,
});

/** Every question, by its subject. */
export const REQUESTS: ReadonlyMap<string, RequestDefinition> = new Map(
  [describeVm, listVms].map((request): [string, RequestDefinition] => [request.subject, request]),
);
