import type { InventoryFilter } from '@hyper2kvm/contracts';
import { minimatch } from 'minimatch';
import type { ListedVm } from './tree.js';

/** A "/" within a name is none of a path's: in names it is shown as this, which no pattern holds. */
const SLASH_IN_NAME = '\u0000';
const OPTIONS = { nocase: true, dot: true, nocomment: true, nonegate: true } as const;

/** Whether a VM is wanted, as far as its own properties tell (all but tags). */
export function matcher(filter: Omit<InventoryFilter, 'tags'>): (vm: ListedVm) => boolean {
  const { name, folder, power_state: powerState, templates } = filter;
  const named = name === undefined ? undefined : byName(name);
  const within = folder === undefined ? undefined : inFolder(folder);
  return (vm) =>
    (templates || !vm.template) &&
    (powerState === undefined || vm.power_state === powerState) &&
    (named?.(vm) ?? true) &&
    (within?.(vm) ?? true);
}

function byName(pattern: string): (vm: ListedVm) => boolean {
  if (pattern.includes('/')) {
    const path = absolute(pattern);
    return (vm) => minimatch(vm.inventory_path, path, OPTIONS);
  }
  return (vm) => minimatch(vm.name.replaceAll('/', SLASH_IN_NAME), pattern, OPTIONS);
}

/** In the folder, or in one beneath it. */
function inFolder(pattern: string): (vm: ListedVm) => boolean {
  const path = absolute(pattern);
  // Many VMs lie in few folders.
  const known = new Map<string, boolean>();
  const matches = (folder: string): boolean => {
    if (folder === '') return false;
    const before = known.get(folder);
    if (before !== undefined) return before;
    const answer = minimatch(folder, path, OPTIONS) || matches(folder.slice(0, folder.lastIndexOf('/')));
    known.set(folder, answer);
    return answer;
  };
  return (vm) => matches(vm.folder);
}

const absolute = (path: string): string => `/${path.replace(/^\/+|\/+$/g, '')}`;
