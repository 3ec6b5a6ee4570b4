import { concernOf, type Concern, type JobOptions, type Machine } from '@hyper2kvm/contracts';
import type { TargetConfig } from '@hyper2kvm/runtime';

/** vSphere's ids of guests that are neither Linux nor Windows. */
const FOREIGN = /^(freebsd|solaris|darwin|vmkernel|netware|openserver|unixware|dos|os2|ecomstation)/i;
const WINDOWS = /^win/i;

export interface Seen {
  readonly machine: Machine;
  readonly options: JobOptions;
  readonly target: TargetConfig | undefined;
  /** The guest itself was looked at: what the source believes of it does not matter. */
  readonly inspected: boolean;
  /** A converter was asked: it knows whether it has drivers for Windows. */
  readonly checked: boolean;
}

/** What the description of a source alone lets one worry about. */
export function sourceConcerns({ machine, options, target, inspected, checked }: Seen): Concern[] {
  return [
    ...power(machine, options),
    ...(machine.tpm === true ? [concernOf('TPM_BLANK', 'The VM has a virtual TPM: the result gets a blank one.')] : []),
    ...(machine.secure_boot ? [concernOf('SECURE_BOOT', 'The VM starts by Secure Boot.')] : []),
    ...(inspected ? [] : foreign(machine)),
    ...(inspected || checked ? [] : windows(machine)),
    ...unmapped(machine, options, target),
  ];
}

function power({ power_state: state }: Machine, { source_power: wanted }: JobOptions): Concern[] {
  if (wanted !== 'keep') return [];
  if (state === 'poweredOn')
    return [concernOf('SOURCE_RUNNING', 'The VM is running: what it writes after the snapshot is not in the result.')];
  if (state === 'suspended')
    return [concernOf('SOURCE_RUNNING', 'The VM is suspended: what it holds in memory is not in the result.')];
  return [];
}

function foreign({ guest_id: id = '', guest_name: name = id }: Machine): Concern[] {
  if (!FOREIGN.test(id)) return [];
  return [
    concernOf('GUEST_UNKNOWN', `vCenter calls the guest ${name}: only Linux and Windows are made ready for KVM.`),
  ];
}

function windows({ guest_id: id = '', guest_name: name = id }: Machine): Concern[] {
  if (!WINDOWS.test(id)) return [];
  const message = `vCenter calls the guest ${name}: Windows needs the drivers that converter.virtio_win names.`;
  return [concernOf('DRIVERS', message)];
}

function unmapped({ nics }: Machine, options: JobOptions, target: TargetConfig | undefined): Concern[] {
  const mapped = new Set([...(options.network_map ?? []), ...(target?.network_map ?? [])].map(({ from }) => from));
  const names = new Set(nics.flatMap(({ network }) => (network === undefined || mapped.has(network) ? [] : [network])));
  return [...names].map((name) =>
    concernOf('NETWORK_UNMAPPED', `NICs in the network "${name}" go to the target's default network.`),
  );
}
