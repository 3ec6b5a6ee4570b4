import { readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { waitForTask } from './tasks.js';
import { ref, text, type Ref } from './values.js';

const POWER_OFF_LIMIT_MS = 5 * 60_000;

export type VmPowerState = 'poweredOn' | 'poweredOff' | 'suspended';

/** @throws VimFault, isGone when the VM is gone */
export async function powerState(session: VimSession, vm: Ref, options: CallOptions = {}): Promise<VmPowerState> {
  const properties = await readProperties(session, vm, ['runtime.powerState'], options);
  const state = text(properties['runtime.powerState']);
  return state === 'poweredOff' || state === 'suspended' ? state : 'poweredOn';
}

/** Asks the guest to shut down and returns at once. @throws VimFault ToolsUnavailable where it cannot be asked */
export async function shutdownGuest(session: VimSession, vm: Ref, options: CallOptions = {}): Promise<void> {
  await session.call('ShutdownGuest', vm, {}, options);
}

/** Switches the VM off, as by its plug, and waits for it. @throws VimFault InvalidPowerState when it is off already */
export async function powerOff(session: VimSession, vm: Ref, options: CallOptions = {}): Promise<void> {
  const task = ref(await session.call('PowerOffVM_Task', vm, {}, options));
  await waitForTask(session, task, POWER_OFF_LIMIT_MS, options);
}
