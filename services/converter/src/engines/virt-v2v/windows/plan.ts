import { concernOf, JobError, type Concern } from '@hyper2kvm/contracts';
import type { Change } from '../../../steps/index.js';
import type { EngineInput, EngineResult } from '../../engine.js';
import { findAgent, findDrivers, type Drivers, type VirtioWin } from '../drivers/index.js';
import { hasVmwareTools, refuseHibernated } from './checks.js';
import { canRunScripts, missingService } from './first-start.js';
import { readRelease } from './registry.js';
import { virtioFolders, type WindowsRelease } from './release.js';

/** What virt-v2v will do to a Windows. */
export interface WindowsPlan {
  readonly release: WindowsRelease;
  readonly drivers: Drivers;
  /** Installer of the guest agent in virtio-win, where it can be installed. */
  readonly agent: string | undefined;
  readonly vmwareTools: boolean;
  readonly concerns: readonly Concern[];
}

/**
 * Looks whether Windows can be converted, before anything is changed.
 * @throws JobError GUEST_HIBERNATED, GUEST_UNSUPPORTED, DRIVERS_MISSING
 */
export async function planWindows(input: EngineInput, virtioWin: VirtioWin): Promise<WindowsPlan> {
  const { appliance, guest, options } = input;
  await refuseHibernated(appliance, guest);
  const release = await readRelease(appliance, guest.arch);
  if (release === undefined)
    throw new JobError('GUEST_UNSUPPORTED', 'the registry of Windows does not tell its version');
  const drivers = chooseDrivers(virtioWin.files, release, guest.product, String(input.virtioWin));
  const concerns = driverConcerns(drivers, release, guest.product);
  const scripts = await canRunScripts();
  const vmwareTools = await hasVmwareTools(appliance);
  if (vmwareTools && !scripts) {
    throw new JobError(
      'GUEST_UNSUPPORTED',
      `VMware Tools are to be removed at the first start, but ${missingService()}`,
    );
  }
  if (vmwareTools && options.keep_vmware_tools === true) {
    concerns.push(concernOf('DRIVERS', 'virt-v2v removes VMware Tools from Windows in any case'));
  }
  const agent = findAgent(virtioWin.files, release.arch);
  if (agent === undefined) {
    concerns.push(concernOf('DRIVERS', "virtio-win has no installer of QEMU's guest agent: it is not installed"));
  } else if (!scripts) {
    concerns.push(concernOf('DRIVERS', `QEMU's guest agent is not installed: ${missingService()}`));
  }
  return { release, drivers, vmwareTools, concerns, agent: scripts ? agent : undefined };
}

/** @throws JobError DRIVERS_MISSING without a block driver: Windows would not find its own disk */
export function chooseDrivers(
  files: readonly string[],
  release: WindowsRelease,
  product: string,
  place: string,
): Drivers {
  const drivers = findDrivers(files, release);
  if (drivers.files.has('viostor.sys') && drivers.files.has('viostor.inf')) return drivers;
  const folders = virtioFolders(release)
    .map((folder) => `viostor/${folder}`)
    .join(', ');
  const looked = folders === '' ? 'no version of it has drivers so old' : `looked for ${folders}, ${release.arch}`;
  throw new JobError('DRIVERS_MISSING', `${place} has no disk driver (viostor) for ${product}: ${looked}`);
}

function driverConcerns(drivers: Drivers, release: WindowsRelease, product: string): Concern[] {
  const concerns: Concern[] = [];
  const [own] = virtioFolders(release);
  if (drivers.release !== undefined && drivers.release !== own) {
    const message = `virtio-win has no drivers for ${product} (${own}): those for ${drivers.release} are installed`;
    concerns.push(concernOf('DRIVERS', message));
  }
  if (!drivers.names.includes('netkvm')) {
    const message = `virtio-win has no network driver (NetKVM) for ${product}: the VM gets an e1000e, which is slower`;
    concerns.push(concernOf('DRIVERS', message));
  }
  return concerns;
}

const change = (file: string, summary: string): Change => ({ step: 'virt-v2v', file, summary });

/** What is done, for the report. Paths as Windows has them by default; the guest may spell them otherwise. */
export function windowsChanges({ drivers, agent, vmwareTools }: WindowsPlan): Change[] {
  return [
    change(
      '/Windows/System32/drivers/viostor.sys',
      `disk driver of virtio-win (${drivers.release ?? 'unknown'}) copied`,
    ),
    change('/Windows/System32/config/SYSTEM', 'service viostor starts at boot; no restart after a crash'),
    change('/Windows/Drivers/VirtIO', `drivers copied: ${drivers.names.join(', ')}`),
    change('/Windows/System32/config/SOFTWARE', 'DevicePath: %SystemRoot%\\Drivers\\VirtIO added'),
    ...(vmwareTools ? [change('/Program Files/Guestfs/Firstboot', 'VMware Tools are removed at the first start')] : []),
    ...(agent === undefined
      ? []
      : [change('/Program Files/Guestfs/Firstboot', "QEMU's guest agent is installed at the first start")]),
  ];
}

/** Devices that Windows has no virtio driver for; virt-v2v's warnings count, whatever was planned. */
export function windowsDevices({ drivers }: WindowsPlan, warnings: readonly string[]): EngineResult['devices'] {
  const noBlock = warnings.some((text) => /no virtio (block device driver|drivers available)/.test(text));
  const noNet =
    !drivers.names.includes('netkvm') ||
    warnings.some((text) => /no virtio (network driver|drivers available)/.test(text));
  if (!noBlock && !noNet) return undefined;
  return { ...(noBlock ? { disk_bus: 'sata' as const } : {}), ...(noNet ? { nic_model: 'e1000e' as const } : {}) };
}
