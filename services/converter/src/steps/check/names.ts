import { linkPath, RULES_PATH } from '../network/index.js';
import type { StepContext } from '../step.js';

/** Every NIC whose name is kept has its name beside its MAC in what the guest reads. */
export async function checkNames({ appliance, state, guest }: StepContext): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, mac } of state.pinned) {
    const file = (guest.systemd ?? 0) >= 240 ? linkPath(name) : RULES_PATH;
    const text = (await appliance.readText(file)) ?? '';
    if (!text.includes(mac) || !text.includes(name)) faults.push(`${file} does not pin ${name} to ${mac}`);
  }
  return faults;
}
