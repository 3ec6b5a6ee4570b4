/** Looks into every file system for what makes it the root of an operating system, in one call. */
import { isMountable, type BlockDevice } from '../devices/index.js';
import { parseFstab } from '../mounts/tables.js';
import { TOP_LEVEL, type Candidate, type Probed, type Subvolume, type Subvolumes } from './candidate.js';

/** File systems in which Linux or Windows may lie. */
const PROBED = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'ntfs', 'jfs', 'reiserfs', 'f2fs']);

const RELEASES = [
  [
    'os-release',
    'lsb-release',
    'redhat-release',
    'centos-release',
    'fedora-release',
    'system-release',
    'debian_version',
  ],
  ['SuSE-release', 'arch-release', 'alpine-release', 'gentoo-release', 'slackware-version', 'oracle-release', 'fstab'],
].flat();
const FOLDERS = ['bin', 'sbin', 'lib', 'usr'];

/**
 * Shell of the appliance (dash; no single quotes). Names of the guest are only tested for, and a link in place of /etc or
 * its fstab is not followed: it could lead out of the guest. Subvolumes that no root can be are left to the choice.
 */
const LOOK = `
mkdir -p /tmp/probe
look() {
  cd "$1" 2>/dev/null || return
  if [ -d etc ] && [ ! -L etc ]; then
    for f in ${RELEASES.join(' ')}; do if [ -e etc/$f ] || [ -L etc/$f ]; then echo "RELEASE=$f"; fi; done
    for f in ${FOLDERS.join(' ')}; do if [ -e $f ] || [ -L $f ]; then echo "FOLDER=$f"; fi; done
    if [ -f etc/fstab ] && [ ! -L etc/fstab ]; then
      grep -m 1 -E "^[[:space:]]*[^#[:space:]]+[[:space:]]+/[[:space:]]" etc/fstab | while read -r l; do echo "OWN=$l"; done
    fi
  fi
  cd /
}
ntfs() {
  cd /tmp/probe
  for f in [Ww][Ii][Nn][Dd][Oo][Ww][Ss]/[Ss][Yy][Ss][Tt][Ee][Mm]32/[Cc][Oo][Nn][Ff][Ii][Gg]/[Ss][Yy][Ss][Tt][Ee][Mm]; do
    if [ -f "$f" ]; then echo HIVE=; fi
  done
  cd /
}
tree() {
  btrfs subvolume list -s /tmp/probe | while read -r x id y; do echo "SNAPSHOT=$id"; done
  btrfs subvolume get-default /tmp/probe | while read -r x id y; do echo "DEFAULT=$id"; done
  echo "SUBVOLUME=${TOP_LEVEL} "
  look /tmp/probe
  btrfs subvolume list /tmp/probe | while read -r a id b c d e f g path; do
    echo "SUBVOLUME=$id $path"
    look "/tmp/probe/$path"
  done
}
probe() {
  echo "FS=$1"
  if reason=$(mount -o "$3" -t "$2" "/dev/$1" /tmp/probe 2>&1); then
    case $2 in btrfs) tree;; ntfs) ntfs;; *) look /tmp/probe;; esac
    umount /tmp/probe
  else
    echo "FAILED=$reason" | head -n 1
  fi
}
`;

/** Undefined where there is nothing to look into. */
export function probeScript(devices: readonly BlockDevice[]): string | undefined {
  const seen = new Set<string>();
  const calls = devices.flatMap(({ kernel, content }) => {
    if (content === undefined || !PROBED.has(content.type)) return [];
    // The devices of one btrfs all carry its UUID, and each leads to the whole.
    const key = content.type === 'btrfs' ? (content.uuid ?? kernel) : kernel;
    if (seen.has(key)) return [];
    seen.add(key);
    return [`probe ${kernel} ${content.type} ${content.type === 'btrfs' ? `ro,subvolid=${TOP_LEVEL}` : 'ro'}`];
  });
  return calls.length === 0 ? undefined : `${LOOK}${calls.join('\n')}\ntrue`;
}

/** Whether there are file systems that the probe knows nothing of: of other systems than Linux and Windows. */
export const hasOthers = (devices: readonly BlockDevice[]): boolean =>
  devices.some(({ content }) => content !== undefined && isMountable(content) && !PROBED.has(content.type));

interface Place {
  readonly device: string;
  subvolume?: Subvolume;
  releases: number;
  folders: number;
  own?: string;
  hive: boolean;
}

export function parseProbe(output: string, devices: readonly BlockDevice[]): Probed {
  const places: Place[] = [];
  const subvolumes = new Map<string, { all: Subvolume[]; defaultId: number; snapshots: Set<number> }>();
  const failures: { device: string; reason: string }[] = [];
  let device = '';
  const open = (subvolume?: Subvolume): void =>
    void places.push({
      device,
      releases: 0,
      folders: 0,
      hive: false,
      ...(subvolume === undefined ? {} : { subvolume }),
    });
  const tree = (): { all: Subvolume[]; defaultId: number; snapshots: Set<number> } => {
    const known = subvolumes.get(device) ?? { all: [], defaultId: TOP_LEVEL, snapshots: new Set() };
    subvolumes.set(device, known);
    return known;
  };
  for (const line of output.split('\n')) {
    const [, key, value = ''] = /^([A-Z]+)=(.*)$/.exec(line) ?? [];
    const place = places.at(-1);
    if (key === 'FS') {
      device = devices.find(({ kernel }) => kernel === value)?.device ?? '';
      open();
    } else if (key === 'FAILED') failures.push({ device, reason: value });
    else if (key === 'SNAPSHOT') tree().snapshots.add(Number(value));
    else if (key === 'DEFAULT') tree().defaultId = Number(value);
    else if (key === 'SUBVOLUME') {
      const [id = '', ...path] = value.split(' ');
      const subvolume = { id: Number(id), path: path.join(' ') };
      tree().all.push(subvolume);
      open(subvolume);
    } else if (place !== undefined) note(place, key, value);
  }
  return {
    candidates: places.flatMap(candidateOf),
    subvolumes: subvolumes satisfies Map<string, Subvolumes>,
    failures,
  };
}

function note(place: Place, key: string | undefined, value: string): void {
  if (key === 'RELEASE') place.releases += 1;
  else if (key === 'FOLDER') place.folders += 1;
  else if (key === 'HIVE') place.hive = true;
  else if (key === 'OWN') place.own ??= value;
}

function candidateOf({ device, subvolume, releases, folders, own, hive }: Place): Candidate[] {
  if (hive) return [{ kind: 'windows', device }];
  if (releases === 0 || folders === 0) return [];
  const [entry] = own === undefined ? [] : parseFstab(own);
  return [
    {
      kind: 'linux',
      device,
      ...(subvolume === undefined ? {} : { subvolume }),
      ...(entry === undefined ? {} : { own: entry }),
    },
  ];
}
