import type { Check } from './check.js';
import { CONVERSION_CHECKS } from './checks/conversion.js';
import { PROGRAM_CHECKS } from './checks/programs.js';
import { SERVICE_CHECKS } from './checks/services.js';
import { STORAGE_CHECKS } from './checks/storage.js';
import { vcenterChecks } from './checks/vcenter.js';
import type { Machine } from './machine.js';

export { GROUPS, type Check, type Verdict } from './check.js';
export { findingLines, groupLine, machineLine, totalLine } from './draw.js';
export { lookAround, type Machine } from './machine.js';
export { examine, type Finding } from './run.js';

/** What a machine that only talks to a gateway is asked. */
const OF_CLIENTS = new Set(['node', 'settings', 'config', 'gateway', 'workers', 'vcenter']);

export const CHECK_IDS: readonly string[] = [
  ...[...PROGRAM_CHECKS, ...SERVICE_CHECKS, ...CONVERSION_CHECKS, ...STORAGE_CHECKS].map(({ id }) => id),
  'vcenter',
];

/** The checks that make sense on a machine, in the order in which they are shown. */
export async function checksFor(
  machine: Machine,
  wanted: { readonly only: readonly string[]; readonly quick: boolean },
): Promise<Check[]> {
  const { only, quick } = wanted;
  const asked = ({ id, slow }: Check): boolean =>
    only.length > 0
      ? only.includes(id)
      : (machine.role === 'services' || OF_CLIENTS.has(id)) && !(quick && slow === true);
  const vcenters = only.length > 0 && !only.includes('vcenter') ? [] : await vcenterChecks(machine);
  // The slow ones close their group, and their group the list.
  return [...PROGRAM_CHECKS, ...SERVICE_CHECKS, ...STORAGE_CHECKS, ...vcenters, ...CONVERSION_CHECKS].filter(asked);
}
