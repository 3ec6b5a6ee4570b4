import { JobError } from '@hyper2kvm/contracts';
import type { DiskAccess, SourceDiskPlan } from '../../source.js';
import { diskTrust, diskUrl } from '../endpoint.js';
import type { DiskBacking } from '../backings.js';
import { untilStopped, withVcenter, type FlowContext } from './context.js';
import { urlOf, type Files } from './fingerprint.js';
import type { Leases } from './leases.js';
import type { TransportPlan } from './transport.js';

/** The server does not let this file be read, or not in parts. The transfer's words carry the status. */
const REFUSED = /HTTP (401|403|404)\b|does not serve ranges/;
const SESSION_ENDED = /HTTP 401\b/;
/** Seen on vSAN: a second disk of a shared lease. */
const EMPTY = /empty answer/;

/** Which way each disk comes, and what is tried when one does not. */
export class Accesses {
  private readonly plans: Map<number, TransportPlan>;
  private readonly renewed = new Set<number>();

  constructor(
    private readonly context: FlowContext,
    private readonly leases: Leases,
    private readonly backings: readonly DiskBacking[],
    private readonly files: Files,
    plans: ReadonlyMap<number, TransportPlan>,
    /** Whether another transport may be taken than the planned one. */
    private readonly mayChange: boolean,
  ) {
    this.plans = new Map(plans);
  }

  async open({ index }: SourceDiskPlan, attempt: number): Promise<DiskAccess> {
    const { session } = this.context;
    // The transfer has the cookie only: where the session has ended, it is renewed before that is handed out.
    if (attempt > 0)
      await withVcenter(session, 'renewing the session', () => session.touch(untilStopped(this.context)));
    return this.plans.get(index)?.transport === 'datastore' ? this.openFile(index) : this.openStream(index);
  }

  otherWay({ index }: SourceDiskPlan, failure: JobError): boolean {
    const { work } = this.context;
    if (this.plans.get(index)?.transport === 'datastore') {
      if (!REFUSED.test(failure.message)) return false;
      if (SESSION_ENDED.test(failure.message) && !this.renewed.has(index)) {
        this.renewed.add(index);
        work.log('warn', `Disk ${index}: ${failure.message}; it goes on with the session renewed`);
        return true;
      }
      if (!this.mayChange) return false;
      this.plans.set(index, { transport: 'nfc', reason: failure.message });
      work.log('warn', `Disk ${index}: ${failure.message}; it comes by the export stream (nfc) instead`);
      return true;
    }
    if (failure.code === 'EXPORT_LEASE' && this.leases.replace(index, failure)) {
      work.log('warn', `Disk ${index}: ${failure.message}; it begins again with a new lease`);
      return true;
    }
    if (EMPTY.test(failure.message) && this.leases.separate(index)) {
      work.log('warn', `Disk ${index}: ${failure.message}; it gets a lease of its own`);
      return true;
    }
    return false;
  }

  private openFile(index: number): DiskAccess {
    const { session, settings } = this.context;
    const backing = this.backings.find((candidate) => candidate.index === index);
    const file = this.files.get(index);
    if (backing === undefined || file === undefined) throw new Error(`disk ${index} has no file`);
    const url = urlOf(this.context, backing);
    const cookie = session.cookieFor(url);
    return {
      transport: 'datastore',
      input: {
        kind: 'ranges',
        url: url.href,
        ...(cookie === undefined ? {} : { cookie }),
        trust: session.endpoint.trust,
        connections: settings.rangeConnections,
        sizeBytes: file.sizeBytes,
        ...(file.lastModified === undefined ? {} : { lastModified: file.lastModified }),
        ...(file.etag === undefined ? {} : { etag: file.etag }),
      },
    };
  }

  private async openStream(index: number): Promise<DiskAccess> {
    const { session } = this.context;
    const held = await this.leases.take(index);
    const offered = held.urls.get(index);
    if (offered === undefined) {
      await this.leases.release(held);
      throw new JobError('EXPORT_LEASE', `the lease has no URL for disk ${index}`);
    }
    const { server, trust } = session.endpoint;
    const url = diskUrl(offered.url, server);
    const cookie = session.cookieFor(url);
    return {
      transport: 'nfc',
      input: {
        kind: 'nfc',
        url: url.href,
        ...(cookie === undefined ? {} : { cookie }),
        trust: diskTrust(trust, url, server, offered.sslThumbprint),
      },
      digests: held.digests ? ['sha1'] : [],
      lost: held.keeper.lost,
      close: async () => this.leases.release(held),
    };
  }
}
