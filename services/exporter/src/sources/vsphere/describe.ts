import { JobError, type Machine } from '@hyper2kvm/contracts';
import { isGone, toJobError } from './faults.js';
import { findVm } from './inventory.js';
import { MACHINE_PROPERTIES, hasTpm, readDisks, toMachine, type SourceDisk } from './machine.js';
import { placeOf, plainName } from './places.js';
import { readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { flag, number, ref, text, type Ref } from './values.js';

export interface VmChoice {
  /** Name, inventory path or managed object id. */
  readonly vmName: string;
  /** The managed object id where it is known: a VM that was renamed meanwhile is still the same. */
  readonly moref?: string;
}

export interface Described {
  readonly vm: Ref;
  readonly machine: Machine;
  readonly disks: readonly SourceDisk[];
  /** The guest can be asked to bring its file systems into order. */
  readonly quiesce: boolean;
  /** Bytes that the VM takes up on its datastores, as far as vCenter knows. */
  readonly committedBytes: number | undefined;
  /** Changes with each change of the configuration: another value means that the VM is not as it was. */
  readonly changeVersion: string | undefined;
  readonly hasTpm: boolean;
  /** Deltas of a snapshot that is gone are left and have to be merged. */
  readonly consolidationNeeded: boolean;
}

/**
 * Finds a VM and reads all that an export needs. Refuses what cannot be exported before any byte moves.
 * @throws JobError VM_NOT_FOUND, VM_AMBIGUOUS, VM_UNSUPPORTED, VCENTER_…
 */
export async function describe(
  session: VimSession,
  { vmName, moref }: VmChoice,
  options: CallOptions = {},
): Promise<Described> {
  try {
    const vm = moref === undefined ? await findVm(session, vmName, options) : { type: 'VirtualMachine', id: moref };
    const properties = await readProperties(session, vm, MACHINE_PROPERTIES, options);
    const hostRef = ref(properties['runtime.host']);
    const [place, hostProperties] = await Promise.all([
      placeOf(session, vm, options),
      hostRef === undefined ? undefined : readProperties(session, hostRef, ['name'], options),
    ]);
    const machine = toMachine(vm, properties, place, text(hostProperties?.name));
    const disks = readDisks(properties);
    refuseUnsupported(machine.name, flag(properties['config.template']), disks);
    return {
      vm,
      machine: { ...machine, name: plainName(machine.name) },
      disks,
      quiesce:
        machine.power_state === 'poweredOn' && text(properties['guest.toolsRunningStatus']) === 'guestToolsRunning',
      committedBytes: number(properties['summary.storage.committed']),
      changeVersion: text(properties['config.changeVersion']),
      hasTpm: hasTpm(properties),
      consolidationNeeded: flag(properties['runtime.consolidationNeeded']),
    };
  } catch (error) {
    if (isGone(error))
      throw new JobError(
        'VM_NOT_FOUND',
        `VM "${vmName}"${moref === undefined ? '' : ` (${moref})`} is gone from vCenter ${session.server}`,
      );
    throw toJobError(error, session.server, `reading VM "${vmName}"`);
  }
}

function refuseUnsupported(name: string, template: boolean, disks: readonly SourceDisk[]): void {
  const refuse = (why: string): never => {
    throw new JobError('VM_UNSUPPORTED', `VM "${name}" cannot be exported: ${why}`);
  };
  if (template) refuse('it is a template; deploy a VM from it first');
  if (disks.length === 0) refuse('it has no disks');
  const hindered = disks.filter(({ obstacle }) => obstacle !== undefined);
  if (hindered.length > 0)
    refuse(hindered.map((disk) => `disk ${disk.index} (${disk.name}) ${disk.obstacle ?? ''}`).join('; '));
}
