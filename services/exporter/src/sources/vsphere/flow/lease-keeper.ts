import { JobError } from '@hyper2kvm/contracts';
import { VimFault } from '../faults.js';
import { reportProgress, type Lease } from '../lease.js';
import type { VimSession } from '../session.js';

const LONGEST_INTERVAL_MS = 10_000;

/**
 * Renews a lease, and with it the session, whatever the data does: a slow disk must not cost the lease.
 * `lost` aborts with a JobError EXPORT_LEASE when vCenter says that it is over, or could not be told for its whole time.
 */
export class LeaseKeeper {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private renewedAt = performance.now();
  private renewing: Promise<void> | undefined;

  constructor(
    private readonly session: VimSession,
    private readonly lease: Lease,
    private readonly percent: () => number,
  ) {
    const interval = Math.min(LONGEST_INTERVAL_MS, lease.timeoutMs / 4);
    this.timer = setInterval(() => {
      this.renewing ??= this.renew(interval).finally(() => {
        this.renewing = undefined;
      });
    }, interval);
  }

  get lost(): AbortSignal {
    return this.controller.signal;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.renewing;
  }

  private async renew(timeoutMs: number): Promise<void> {
    try {
      await reportProgress(this.session, this.lease.ref, this.percent(), { timeoutMs });
      this.renewedAt = performance.now();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (error instanceof VimFault) this.lose(`vCenter ended the export lease (${words})`);
      else if (performance.now() - this.renewedAt > this.lease.timeoutMs)
        this.lose(`the export lease could not be renewed for ${Math.round(this.lease.timeoutMs / 1000)} s (${words})`);
    }
  }

  /** Ends the use of the lease, also when a download finds out first. */
  lose(message: string): void {
    clearInterval(this.timer);
    if (!this.lost.aborted) this.controller.abort(new JobError('EXPORT_LEASE', message));
  }
}
