import { concernOf, type Concern } from '@hyper2kvm/contracts';
import { describeClosed, type Unlocked } from './devices/index.js';
import type { FileSystem, GuestFacts, Mountpoint } from './facts.js';

export interface InspectOptions {
  /** Disks of the VM. */
  readonly diskCount: number;
  /** Device of the operating system to take where there are several. */
  readonly root: string | undefined;
  /** The VM holds data only, or is to be taken for such. */
  readonly noOs: boolean;
}

export interface Inspected {
  readonly guest: GuestFacts;
  readonly concerns: readonly Concern[];
}

/** What is the same of every guest. */
export const commonFacts = (
  unlocked: Unlocked,
  mountpoints: readonly Mountpoint[],
  { diskCount }: InspectOptions,
): Pick<GuestFacts, 'mountpoints' | 'fileSystems' | 'diskCount' | 'luks'> => ({
  mountpoints,
  fileSystems: unlocked.devices.flatMap(({ content }): FileSystem[] => (content === undefined ? [] : [content])),
  diskCount,
  luks: unlocked.opened,
});

export function closedVolumes({ closed }: Unlocked): Concern[] {
  return closed.map((each) => concernOf('VOLUME_LOCKED', `${describeClosed(each)}: it is left as it is`));
}
