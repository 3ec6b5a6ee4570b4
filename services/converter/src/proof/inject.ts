import { JobError } from '@hyper2kvm/contracts';
import { Appliance, type ApplianceOptions, type GuestFacts } from '../guest/index.js';
import { SCRIPT, SCRIPT_PATH, UNIT, UNIT_LINK, UNIT_PATH } from './agent.js';

/** Puts the reporter into a throw-away overlay. The guest was inspected before: its mount points are known. */
export async function injectAgent(guest: GuestFacts, options: ApplianceOptions): Promise<void> {
  if (guest.systemd === undefined) {
    throw new JobError(
      'GUEST_UNSUPPORTED',
      'the boot proof needs a guest with systemd; convert it without --verify-boot',
      { step: 'proof' },
    );
  }
  const appliance = await Appliance.start(options);
  try {
    for (const { path, mountable } of guest.mountpoints) await appliance.call(['mount-options', '', mountable, path]);
    await appliance.writeText(SCRIPT_PATH, SCRIPT);
    await appliance.writeText(UNIT_PATH, UNIT);
    await appliance.call(['mkdir-p', UNIT_LINK.slice(0, UNIT_LINK.lastIndexOf('/'))]);
    await appliance.call(['ln-sf', UNIT_PATH, UNIT_LINK]);
    await appliance.close();
  } finally {
    await appliance.stop();
  }
}
