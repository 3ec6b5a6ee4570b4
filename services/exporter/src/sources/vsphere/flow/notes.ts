import { Machine } from '@hyper2kvm/contracts';
import { z } from 'zod';
import type { SourceNotes } from '../../source.js';

/** What a disk's file looked like when the snapshot was made. It rests from then on. */
const Fingerprint = z.object({
  size: z.number(),
  last_modified: z.string().optional(),
  etag: z.string().optional(),
});
export type Fingerprint = z.infer<typeof Fingerprint>;

/** The source's part of `export.json`. Each thing on vCenter is noted before it is made. */
const VsphereNotes = z.object({
  /** Managed object id of the VM. */
  vm: z.string().optional(),
  /** As described before the snapshot. */
  machine: Machine.optional(),
  /** Written without `moref` before it is made. */
  snapshot: z.object({ name: z.string(), moref: z.string().optional() }).optional(),
  /** The VM's `config.changeVersion` after the snapshot was made. */
  change_version: z.string().optional(),
  /** By the number of the disk; null where its file cannot be looked at (vSAN). Missing until the snapshot is bound. */
  files: z.record(z.string(), Fingerprint.nullable()).optional(),
  /** Managed object ids of leases that may be held. */
  leases: z.array(z.string()).default([]),
  /** This job has switched the VM off. */
  switched_off: z.boolean().default(false),
});
export type VsphereNotes = z.infer<typeof VsphereNotes>;

export class NoteBook {
  private current: VsphereNotes;

  constructor(private readonly notes: SourceNotes) {
    const read = VsphereNotes.safeParse(notes.read() ?? {});
    // Unreadable ones count as none: the snapshot is found by its name all the same.
    this.current = read.success ? read.data : VsphereNotes.parse({});
  }

  get state(): Readonly<VsphereNotes> {
    return this.current;
  }

  /** Durable when it resolves. */
  async set(change: Partial<VsphereNotes>): Promise<void> {
    this.current = { ...this.current, ...change };
    await this.notes.write(this.current);
  }
}
