import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import {
  abortLease,
  isBusy,
  leaseRef,
  requestLease,
  toJobError,
  waitUntilReady,
  type Lease,
  type Ref,
} from '../sources/vsphere/index.js';
import { withVcenter, type ExportContext } from './context.js';

const RETRY_MS = 5_000;

/** Opens the export lease. One that this job left behind is ended first; one of somebody else is waited out. */
export async function openLease(context: ExportContext, snapshot: Ref): Promise<Lease> {
  const { session, journal, described } = context;
  return withVcenter(session, `the export of VM ${described.machine.name}`, async () => {
    const { lease } = journal.state;
    // Whether that succeeds does not matter: what still holds the VM is waited out.
    if (lease !== undefined) await abortLease(session, leaseRef(lease)).catch(() => {});
    return request(context, snapshot);
  });
}

async function request(context: ExportContext, snapshot: Ref): Promise<Lease> {
  const { session, journal, ports, settings, described } = context;
  const options = { signal: ports.work.signal };
  const deadline = performance.now() + settings.leaseWaitMs;
  let told = false;
  for (;;) {
    let lease: Ref | undefined;
    try {
      const made = await requestLease(session, snapshot, options);
      lease = made;
      await journal.update((state) => ({ ...state, lease: made.id }));
      return await waitUntilReady(session, made, options);
    } catch (error) {
      if (lease !== undefined) await abortLease(session, lease).catch(() => {});
      if (!isBusy(error)) throw error;
      if (performance.now() + RETRY_MS > deadline) throw stillBusy(error, context);
      if (!told)
        ports.work.log('info', `VM ${described.machine.name} is held by another export or task; waiting for its end`);
      told = true;
    }
    await sleep(RETRY_MS, undefined, { signal: ports.work.signal });
  }
}

function stillBusy(error: unknown, { session, settings, described }: ExportContext): JobError {
  const cause = toJobError(error, session.server, `the export of VM ${described.machine.name}`);
  const words = cause instanceof Error ? cause.message : String(cause);
  return new JobError('VCENTER_BUSY', `${words}, for more than ${Math.round(settings.leaseWaitMs / 1000)} s`);
}
