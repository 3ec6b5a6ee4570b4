/** Which of the candidates are operating systems of their own: copies and snapshots of one are not. */
import type { BlockDevice } from '../devices/index.js';
import { type Candidate, type Probed, type Subvolumes } from './candidate.js';

/** Where snapper and timeshift keep theirs. */
const SNAPSHOT_FOLDER = /(?:^|\/)(?:\.snapshots|timeshift-btrfs|\.btrfs)(?:\/|$)/;

export function operatingSystems({ candidates, subvolumes }: Probed, devices: readonly BlockDevice[]): Candidate[] {
  const byFileSystem = new Map<string, Candidate[]>();
  for (const each of candidates) {
    const uuid = devices.find(({ device }) => device === each.device)?.content?.uuid;
    // A snapshot of LVM has the UUID of its origin.
    const key = uuid ?? each.device;
    byFileSystem.set(key, [...(byFileSystem.get(key) ?? []), each]);
  }
  return [...byFileSystem.values()].flatMap((group) => {
    const tree = subvolumes.get(group[0]?.device ?? '');
    return tree === undefined ? original(group, devices) : ofTree(group, tree);
  });
}

/** Of several with one UUID the one that its own fstab names by its device. */
function original(group: readonly Candidate[], devices: readonly BlockDevice[]): Candidate[] {
  const names = (each: Candidate): string[] => {
    const dmName = devices.find(({ device }) => device === each.device)?.dmName;
    return [each.device, ...(dmName === undefined ? [] : [`/dev/mapper/${dmName}`])];
  };
  const chosen = group.find((each) => names(each).includes(each.own?.spec ?? '')) ?? group[0];
  return chosen === undefined ? [] : [chosen];
}

/** Of a btrfs: what its own fstab mounts as root, else the default subvolume, else all that is no snapshot. */
function ofTree(group: readonly Candidate[], { defaultId, snapshots }: Subvolumes): Candidate[] {
  const namesItself = group.filter(isOwnRoot);
  if (namesItself.length > 0) return namesItself;
  const standard = group.filter(({ subvolume }) => subvolume?.id === defaultId);
  if (standard.length > 0) return standard;
  return group.filter(
    ({ subvolume }) => subvolume !== undefined && !snapshots.has(subvolume.id) && !SNAPSHOT_FOLDER.test(subvolume.path),
  );
}

function isOwnRoot({ subvolume, own }: Candidate): boolean {
  return (own?.options ?? []).some((option) => {
    const [, kind, value] = /^(subvol|subvolid)=(.*)$/.exec(option) ?? [];
    if (kind === 'subvolid') return Number(value) === subvolume?.id;
    return kind === 'subvol' && value?.replaceAll(/^\/+|\/+$/g, '') === subvolume?.path;
  });
}

/** As the refusal lists a system and `--root` takes it: the device, with the subvolume where it lies in one. */
export function rootName({ device, subvolume }: Pick<Candidate, 'device' | 'subvolume'>): string {
  return subvolume === undefined || subvolume.path === '' ? device : `${device}/${subvolume.path}`;
}

/** The system at a device, as `--root` names it: by the device alone where only one lies on it. */
export function findRoot(
  wanted: string,
  systems: readonly Candidate[],
  devices: readonly BlockDevice[],
): Candidate | undefined {
  const exact = systems.find((each) => rootName(each) === wanted);
  if (exact !== undefined) return exact;
  const same = devices.find(
    ({ device, dmName }) => wanted === device || (dmName !== undefined && wanted === `/dev/mapper/${dmName}`),
  );
  const there = systems.filter(({ device }) => device === (same?.device ?? openedVolume(wanted, systems, devices)));
  return there.length === 1 ? there[0] : undefined;
}

/** An opened volume gets the name that its guest gives it (`/dev/mapper/cryptroot`) only once the guest is known. */
function openedVolume(
  wanted: string,
  systems: readonly Candidate[],
  devices: readonly BlockDevice[],
): string | undefined {
  if (!wanted.startsWith('/dev/mapper/')) return undefined;
  const opened = devices.filter(({ dmUuid }) => dmUuid?.startsWith('CRYPT-'));
  const roots = new Set(systems.map(({ device }) => device).filter((each) => opened.some((o) => o.device === each)));
  return roots.size === 1 ? [...roots][0] : undefined;
}
