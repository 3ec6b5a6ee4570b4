import { specOfMany } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';

/** VMs of one question. Each one's devices are 20 KB and more. */
const BATCH_VMS = 200;
/** vCenter writes one answer while another is read. */
const AT_A_TIME = 2;

export interface Capacity {
  readonly disks: number;
  /** Sum of the disks' capacities. */
  readonly capacity_bytes: number;
}

/** What the disks of these VMs hold, by managed object id; VMs that are gone are missing. */
export async function readCapacities(
  session: VimSession,
  vms: readonly string[],
  options: CallOptions = {},
): Promise<Map<string, Capacity>> {
  const found = new Map<string, Capacity>();
  let next = 0;
  const readOn = async (): Promise<void> => {
    while (next < vms.length) {
      const batch = vms.slice(next, next + BATCH_VMS);
      next += batch.length;
      await readBatch(session, batch, found, options);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, readOn));
  return found;
}

async function readBatch(
  session: VimSession,
  vms: readonly string[],
  found: Map<string, Capacity>,
  options: CallOptions,
): Promise<void> {
  const { propertyCollector } = session.service;
  const refs = vms.map((id) => ({ type: 'VirtualMachine', id }));
  const specSet = [specOfMany(refs, ['config.hardware.device'])];
  const ask = async (method: string, args: object): Promise<string | undefined> => {
    let token: string | undefined;
    const scan = (answer: string): void => {
      token = scanCapacities(answer, found);
    };
    await session.call(method, propertyCollector, args, { ...options, scan });
    return token;
  };
  let token = await ask('RetrievePropertiesEx', { specSet, options: { maxObjects: BATCH_VMS } });
  while (token !== undefined) token = await ask('ContinueRetrievePropertiesEx', { token });
}

/**
 * Reads the capacities out of an answer, of whose text they are a thousandth. Every disk has its capacity in KB; that in
 * bytes, which vCenter gives since 5.5, is exact. Returns the token of a page that follows.
 */
export function scanCapacities(answer: string, found: Map<string, Capacity>): string | undefined {
  let token: string | undefined;
  let vm: { id: string; disks: number; kib: number; exact: number; bytes: number } | undefined;
  const close = (): void => {
    if (vm === undefined) return;
    const capacity = vm.exact === vm.disks ? vm.bytes : vm.kib * 1024;
    found.set(vm.id, { disks: vm.disks, capacity_bytes: capacity });
  };
  for (const [, name, attributes, value] of answer.matchAll(
    /<(?:\w+:)?(obj|token|capacityInKB|capacityInBytes)(\s[^>]*)?>([^<]*)</g,
  )) {
    if (name === 'token') token = value === '' ? undefined : value;
    else if (name === 'obj') {
      if (!/\btype="(?:\w+:)?VirtualMachine"/.test(attributes ?? '')) continue;
      close();
      vm = { id: value ?? '', disks: 0, kib: 0, exact: 0, bytes: 0 };
    } else if (vm !== undefined && name === 'capacityInKB') {
      vm.disks++;
      vm.kib += Number(value);
    } else if (vm !== undefined) {
      vm.exact++;
      vm.bytes += Number(value);
    }
  }
  close();
  return token;
}
