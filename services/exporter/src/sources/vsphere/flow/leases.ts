import type { JobError } from '@hyper2kvm/contracts';
import { assignDisks } from '../lease-disks.js';
import { completeLease, leaseManifest, type Lease, type LeaseDisk } from '../lease.js';
import type { Ref } from '../values.js';
import { untilStopped, withVcenter, wordsOf, type FlowContext } from './context.js';
import { LeaseKeeper } from './lease-keeper.js';
import { forgetLease, giveUpLease, openLease, tellsDigests } from './lease.js';

/** A lease with all that belongs to it. */
export interface HeldLease {
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly urls: ReadonlyMap<number, LeaseDisk>;
  readonly digests: boolean;
  /** Downloads that run on it. */
  users: number;
}

/**
 * The export leases of a job: one for all its disks; where a server does not serve them all from a shared one, one for each
 * disk; and new ones for those that are lost, a bounded number of times.
 */
export class Leases {
  private shared: Promise<HeldLease> | undefined;
  private readonly own = new Map<number, Promise<HeldLease>>();
  /** Disks that a shared lease did not serve. From the first on, each further disk has a lease of its own. */
  private readonly alone = new Set<number>();
  private readonly held = new Set<HeldLease>();
  private readonly used = new Map<number, HeldLease>();
  private renewals = 0;

  constructor(
    private readonly context: FlowContext,
    private readonly snapshot: Ref,
    private readonly disks: number,
  ) {}

  /** The lease to read a disk by. To be given back by `release`. @throws JobError */
  async take(disk: number): Promise<HeldLease> {
    const lease = await (this.apart ? this.openOwn(disk) : this.openShared());
    if (lease.keeper.lost.aborted) throw lease.keeper.lost.reason;
    lease.users++;
    this.used.set(disk, lease);
    return lease;
  }

  async release(lease: HeldLease): Promise<void> {
    lease.users--;
    // A server that allows one lease at a time waits for this.
    if (this.apart && lease.users === 0 && this.held.has(lease)) await this.end(lease);
  }

  /** Another lease for this disk in place of one that is lost: false when there were too many. */
  replace(disk: number, failure: JobError): boolean {
    const lease = this.used.get(disk);
    if (lease === undefined) return false;
    // Another disk on the same lease has seen to it already.
    if (!this.held.has(lease)) return true;
    if (this.renewals >= this.context.settings.leaseRenewals) return false;
    this.renewals++;
    // Ends the other downloads on it too.
    lease.keeper.lose(failure.message);
    this.remove(lease);
    void giveUpLease(this.context, lease.lease.ref).catch(() => {});
    return true;
  }

  /** A lease for this disk alone. False when it has one already, or is the only one. */
  separate(disk: number): boolean {
    if (this.alone.has(disk) || this.disks === 1) return false;
    this.alone.add(disk);
    return true;
  }

  /** Digests of what a disk's lease has sent. */
  async digestsOf(disk: number): Promise<Partial<Record<'sha1' | 'sha256', string>> | undefined> {
    const lease = this.used.get(disk);
    if (lease?.digests !== true) return undefined;
    const { session } = this.context;
    const manifest = await withVcenter(session, 'the manifest of the export', async () =>
      leaseManifest(session, lease.lease, untilStopped(this.context)),
    );
    const entry = manifest?.find(({ key }) => key === lease.urls.get(disk)?.key);
    if (entry === undefined) return undefined;
    const { sha1, checksum, checksumType } = entry;
    const digests: Partial<Record<'sha1' | 'sha256', string>> = {};
    if (sha1 !== undefined) digests.sha1 = sha1;
    if (checksum !== undefined && (checksumType === 'sha1' || checksumType === 'sha256'))
      digests[checksumType] = checksum;
    return digests;
  }

  /** All disks are there. What vCenter answers cannot change that. */
  async complete(): Promise<void> {
    for (const lease of this.held) await this.end(lease);
  }

  /** Stops renewing. The leases stay, for a clean-up or for the next start to give up. */
  async close(): Promise<void> {
    for (const { keeper } of this.held) await keeper.stop();
  }

  private async openShared(): Promise<HeldLease> {
    this.shared ??= this.open().catch((error: unknown) => {
      this.shared = undefined;
      throw error;
    });
    return this.shared;
  }

  private async openOwn(disk: number): Promise<HeldLease> {
    const shared = await this.shared?.catch(() => undefined);
    if (shared?.users === 0 && this.held.has(shared)) await this.end(shared);
    const own = this.own.get(disk) ?? this.open();
    this.own.set(disk, own);
    own.catch(() => this.own.delete(disk));
    return own;
  }

  private async open(): Promise<HeldLease> {
    const { session, described, percent } = this.context;
    const lease = await openLease(this.context, this.snapshot);
    const held: HeldLease = {
      lease,
      keeper: new LeaseKeeper(session, lease, percent),
      urls: assignDisks(described.disks, lease.disks),
      digests: await tellsDigests(session, lease).catch(() => false),
      users: 0,
    };
    this.held.add(held);
    return held;
  }

  private get apart(): boolean {
    return this.alone.size > 0;
  }

  private remove(lease: HeldLease): void {
    this.held.delete(lease);
    this.shared = undefined;
    for (const disk of lease.urls.keys()) if (this.used.get(disk) === lease) this.own.delete(disk);
  }

  private async end(lease: HeldLease): Promise<void> {
    const { session, work } = this.context;
    this.remove(lease);
    await lease.keeper.stop();
    const { ref } = lease.lease;
    try {
      await completeLease(session, ref, untilStopped(this.context));
      await forgetLease(this.context, ref);
    } catch (error) {
      // Whatever it answers: a clean-up, or the next start, gives it up again.
      if (work.signal.aborted) return;
      work.log('warn', `vCenter did not take the end of the export lease: ${wordsOf(error)}`);
      await giveUpLease(this.context, ref);
    }
  }
}
