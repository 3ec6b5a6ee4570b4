import path from 'node:path';
import type { LuksKey } from '@hyper2kvm/contracts';
import { Appliance, type ApplianceOptions } from './appliance.js';
import { inspect, type GuestFacts } from './inspect.js';

export interface OpenOptions extends ApplianceOptions {
  /** Device of the operating system to take where there are several. */
  readonly root: string | undefined;
  /** No operating system is expected: its absence is no error. */
  readonly noOs: boolean;
  readonly luksKeys: readonly LuksKey[];
}

export interface OpenGuest {
  readonly appliance: Appliance;
  readonly guest: GuestFacts;
}

/**
 * Starts an appliance with all disks of the VM, opens what is encrypted, finds the operating system and mounts its file
 * systems. The caller closes or stops the appliance.
 * @throws JobError GUEST_NO_OS, GUEST_MULTIPLE_OS, GUEST_ENCRYPTED, GUEST_CORRUPT
 */
export async function openGuest(options: OpenOptions): Promise<OpenGuest> {
  const appliance = await Appliance.start({ ...options, folder: path.join(options.folder, 'appliance') });
  try {
    return { appliance, guest: await inspect(appliance, options.disks.length) };
  } catch (error) {
    await appliance.stop();
    throw error;
  }
}
