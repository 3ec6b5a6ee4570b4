import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { addEvent, withLongSpan } from '@hyper2kvm/runtime';
import { VimFault, isBusy, toJobError } from '../faults.js';
import { abortLease, leaseRef, requestLease, waitUntilReady, type Lease } from '../lease.js';
import type { VimSession } from '../session.js';
import type { Ref } from '../values.js';
import { untilStopped, withVcenter, type FlowContext } from './context.js';

const RETRY_MS = 2_000;
const ABORT_TIMEOUT_MS = 10_000;

/** Opens an export lease on the snapshot, and waits while somebody else's export or task holds the VM. */
export const openLease = (context: FlowContext, snapshot: Ref): Promise<Lease> =>
  withLongSpan('export.lease', { 'job.id': context.jobId }, () => untilLeased(context, snapshot));

async function untilLeased(context: FlowContext, snapshot: Ref): Promise<Lease> {
  const { session, work, settings, described, notes } = context;
  const options = untilStopped(context);
  return withVcenter(session, `the export of VM ${described.machine.name}`, async () => {
    const deadline = performance.now() + settings.leaseWaitMs;
    let told = false;
    for (;;) {
      let lease: Ref | undefined;
      try {
        const made = await requestLease(session, snapshot, options);
        lease = made;
        await notes.set({ leases: [...notes.state.leases, made.id] });
        return await waitUntilReady(session, made, options);
      } catch (error) {
        if (lease !== undefined) await giveUpLease(context, lease);
        if (!isBusy(error)) throw error;
        if (performance.now() + RETRY_MS > deadline) throw stillBusy(error, context);
        if (!told) addEvent('held by another export or task');
        if (!told)
          work.log('info', `VM ${described.machine.name} is held by another export or task; waiting for its end`);
        told = true;
      }
      await sleep(RETRY_MS, undefined, { signal: work.signal });
    }
  });
}

/** Ends a lease, whether vCenter still knows it or not. */
export async function giveUpLease(
  { session, notes }: Pick<FlowContext, 'session' | 'notes'>,
  lease: Ref,
): Promise<void> {
  await abortLease(session, lease, { timeoutMs: ABORT_TIMEOUT_MS }).catch(() => {});
  // On a full disk nothing can be noted; a lease that is given up twice does no harm.
  await forgetLease({ notes }, lease).catch(() => {});
}

export async function forgetLease({ notes }: Pick<FlowContext, 'notes'>, lease: Ref): Promise<void> {
  await notes.set({ leases: notes.state.leases.filter((id) => id !== lease.id) });
}

/** Leases of a start that was killed. Whether that succeeds does not matter: what still holds the VM is waited out. */
export async function giveUpNotedLeases(context: Pick<FlowContext, 'session' | 'notes'>): Promise<void> {
  for (const id of context.notes.state.leases) await giveUpLease(context, leaseRef(id));
}

/** Whether the server tells digests of what it sends. It knows them only once it has sent it. */
export async function tellsDigests(session: VimSession, lease: Lease): Promise<boolean> {
  try {
    await session.call('HttpNfcLeaseGetManifest', lease.ref, {});
    return true;
  } catch (error) {
    if (error instanceof VimFault) return false;
    throw error;
  }
}

function stillBusy(error: unknown, { session, settings, described }: FlowContext): JobError {
  const cause = toJobError(error, session.server, `the export of VM ${described.machine.name}`);
  const words = cause instanceof Error ? cause.message : String(cause);
  return new JobError('VCENTER_BUSY', `${words}, for more than ${Math.round(settings.leaseWaitMs / 1000)} s`);
}
