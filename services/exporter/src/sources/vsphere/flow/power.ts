import { setTimeout as sleep } from 'node:timers/promises';
import { JobError, type SourcePower } from '@hyper2kvm/contracts';
import { VimFault } from '../faults.js';
import { powerOff, powerState, shutdownGuest } from '../power.js';
import { untilStopped, withVcenter, wordsOf, type FlowContext } from './context.js';

const POLL_MS = 2_000;

export interface Cutover {
  /** What a person should know of the source afterwards. */
  readonly concerns: readonly string[];
  /** It was running and was switched off just now: a snapshot of before lacks what it wrote since. */
  readonly switchedOff: boolean;
}

export const wayBack = (name: string): string =>
  `To go back, switch the source VM ${name} on again in vCenter; it and the copy must not run at the same time`;

/** What is to happen to the source VM before its disks are read. Begun again it does what is left of it. @throws JobError VM_POWER */
export async function applySourcePower(context: FlowContext, wanted: SourcePower): Promise<Cutover> {
  const { session, described, work } = context;
  const { name } = described.machine;
  return withVcenter(session, `switching VM ${name} off`, async () => {
    const state = await powerState(session, described.vm, untilStopped(context));
    if (wanted === 'keep') {
      if (state !== 'poweredOn') return { concerns: [], switchedOff: false };
      const concern = `VM ${name} was running during the export: what it writes after the snapshot is not in the copy`;
      work.log('warn', concern);
      return { concerns: [concern], switchedOff: false };
    }
    const switchedOff = state !== 'poweredOff';
    if (switchedOff) await switchOff(context, wanted);
    const off = switchedOff || context.notes.state.switched_off;
    const concern = `The source VM ${name} ${off ? 'was switched off for this job' : 'is off'}. ${wayBack(name)}`;
    work.log('info', concern);
    return { concerns: [concern], switchedOff };
  });
}

async function switchOff(context: FlowContext, wanted: 'shutdown' | 'off'): Promise<void> {
  const { session, described, work, notes } = context;
  const { name } = described.machine;
  await work.assertOwner();
  // Noted first: after a crash in between, the VM may be off and it was us.
  await notes.set({ vm: described.vm.id, switched_off: true });
  if (wanted === 'shutdown' && (await shutDown(context))) return;
  await work.assertOwner();
  try {
    await powerOff(session, described.vm, untilStopped(context));
  } catch (error) {
    work.signal.throwIfAborted();
    // It went off by itself meanwhile.
    if ((await powerState(session, described.vm, untilStopped(context))) !== 'poweredOff')
      throw error instanceof VimFault
        ? new JobError('VM_POWER', `VM ${name} could not be switched off: ${wordsOf(error)}`)
        : error;
  }
  work.log('info', `VM ${name} was switched off`);
}

/** @returns whether the guest has shut down in time */
async function shutDown(context: FlowContext): Promise<boolean> {
  const { session, described, work, settings } = context;
  const { name } = described.machine;
  try {
    await shutdownGuest(session, described.vm, untilStopped(context));
  } catch (error) {
    if (!(error instanceof VimFault)) throw error;
    work.log('warn', `The guest of VM ${name} cannot be asked to shut down (${error.message}); the VM is switched off`);
    return false;
  }
  work.log('info', `The guest of VM ${name} is shutting down`);
  const deadline = performance.now() + settings.shutdownTimeoutMs;
  while (performance.now() < deadline) {
    if ((await powerState(session, described.vm, untilStopped(context))) === 'poweredOff') {
      work.log('info', `VM ${name} has shut down`);
      return true;
    }
    await sleep(Math.min(POLL_MS, settings.shutdownTimeoutMs / 4), undefined, { signal: work.signal });
  }
  work.log(
    'warn',
    `The guest of VM ${name} has not shut down within ${Math.round(settings.shutdownTimeoutMs / 1000)} s; the VM is switched off`,
  );
  return false;
}
