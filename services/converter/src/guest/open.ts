import path from 'node:path';
import type { Concern, LuksKey } from '@hyper2kvm/contracts';
import { Appliance, type ApplianceOptions } from './appliance.js';
import type { GuestFacts } from './facts.js';
import { inspect } from './inspect.js';

export interface OpenOptions extends ApplianceOptions {
  /** Device of the operating system to take where there are several. */
  readonly root: string | undefined;
  /** The VM holds data only, or is to be taken for such: nothing is mounted. */
  readonly noOs: boolean;
  readonly luksKeys: readonly LuksKey[];
}

export interface OpenGuest {
  readonly appliance: Appliance;
  readonly guest: GuestFacts;
  /** What a person should know of the disks. */
  readonly concerns: readonly Concern[];
}

/**
 * Starts an appliance with all disks of the VM, opens what is encrypted, finds the operating system and mounts its file
 * systems. The caller closes or stops the appliance.
 * @throws JobError GUEST_NO_OS, GUEST_MULTIPLE_OS, GUEST_ENCRYPTED, GUEST_CORRUPT
 */
export async function openGuest(options: OpenOptions): Promise<OpenGuest> {
  const appliance = await Appliance.start({ ...options, folder: path.join(options.folder, 'appliance') });
  try {
    const { root, noOs, disks } = options;
    return { appliance, ...(await inspect(appliance, { root, noOs, diskCount: disks.length })) };
  } catch (error) {
    await appliance.stop();
    throw error;
  }
}
