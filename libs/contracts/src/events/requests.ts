import { z } from 'zod';
import { InventoryFilter, InventoryVm } from '../inventory.js';
import { Concern } from '../concerns.js';
import { Failure } from '../errors.js';
import { DiskInspection, InspectDisk } from '../inspection.js';
import { Machine } from '../machine.js';
import { ConversionOptions, DisksSource, OvaSource, Source, VsphereSource } from '../options.js';
import { NotificationStatus, NotificationTest, NotificationTestRequest } from '../rest/notifications.js';
import { Bytes } from '../words.js';
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

/** Where do the images of local files lie? Checked as an export checks them: nothing outside of the allowed folders. */
export const localDisks = defineRequest({
  subject: 'exporter.local-disks',
  request: z.object({ source: z.discriminatedUnion('kind', [DisksSource, OvaSource]), vm_name: z.string().min(1) }),
  reply: z.object({
    /** In disk order; empty where QEMU cannot look into them as they lie. */
    disks: z.array(InspectDisk),
    /** Why they cannot be looked into (compressed members of an OVA). */
    unreadable: z.string().optional(),
  }),
  timeoutMs: 30_000,
});

/** What is in these disks, and what would be done? Takes as long as an appliance takes to start: 20 s without KVM. */
export const inspectDisks = defineRequest({
  subject: 'converter.inspect-disks',
  request: z.object({
    disks: z.array(InspectDisk).min(1).max(64),
    machine: Machine,
    options: ConversionOptions.prefault({}),
  }),
  reply: DiskInspection,
  timeoutMs: 300_000,
});

/** Can this VM go there? Asked before an export starts: name, memory, bridges and networks, storage of the libvirt host. */
export const checkTarget = defineRequest({
  subject: 'converter.check-target',
  request: z.object({
    machine: Machine,
    /** The domain's name to be. */
    vm_name: z.string().min(1),
    options: ConversionOptions.prefault({}),
  }),
  reply: z.object({
    /** Each of them stops the job. */
    problems: z.array(Failure),
    concerns: z.array(Concern),
    /** Free where the output goes, and in the converter's work folder. */
    output_free_bytes: Bytes,
    work_free_bytes: Bytes,
  }),
  timeoutMs: 30_000,
});

/** May this login do all that a migration needs? Also proves that the vCenter can be reached and trusted. */
export const checkVcenter = defineRequest({
  subject: 'exporter.check-vcenter',
  request: z.object({ source: VsphereSource }),
  reply: z.object({
    /** `VMware vCenter Server 8.0.2 build-22617221` */
    product: z.string(),
    api_version: z.string(),
    instance_uuid: z.string().optional(),
    privileges: z.array(
      z.object({
        /** vSphere's id: `VirtualMachine.Provisioning.DiskRandomRead`. */
        privilege: z.string(),
        needed_for: z.string(),
        /** False only for what is of use now and then: `--source-power`, vSphere tags. */
        required: z.boolean(),
        held: z.boolean(),
      }),
    ),
    /** Why privileges could not be asked for; then the list is empty. */
    unchecked: z.string().optional(),
  }),
  timeoutMs: 15_000,
});

/** Does every notification arrive? Sends a message that says it is a test. */
export const testNotifications = defineRequest({
  subject: 'notifier.test',
  request: z.object(NotificationTestRequest.shape),
  reply: NotificationTest,
  timeoutMs: 45_000,
});

/** Who is notified of what, and what waits? */
export const notificationStatus = defineRequest({
  subject: 'notifier.status',
  request: z.object({}),
  reply: NotificationStatus,
  timeoutMs: 5_000,
});

/** Every question, by its subject. */
export const REQUESTS: ReadonlyMap<string, RequestDefinition> = new Map(
  [describeVm, listVms, localDisks, inspectDisks, checkTarget, checkVcenter, testNotifications, notificationStatus].map(
    (request): [string, RequestDefinition] => [request.subject, request],
  ),
);
