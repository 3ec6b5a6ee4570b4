/** Windows's releases, and which folders of virtio-win hold the drivers for each. */

export interface WindowsRelease {
  /** `CurrentBuild` of the registry: 20348 is Windows Server 2022. */
  readonly build: number;
  /** Server, or a client (`InstallationType`). */
  readonly server: boolean;
  /** As libguestfs calls it: `x86_64` or `i386`. */
  readonly arch: string;
}

/** First build of a release, and virtio-win's folders for its client and its server. */
const RELEASES: readonly (readonly [build: number, client: string, server: string])[] = [
  [26_100, 'w11', '2k25'],
  [22_000, 'w11', '2k22'],
  [20_348, 'w10', '2k22'],
  [17_763, 'w10', '2k19'],
  [10_240, 'w10', '2k16'],
  [9600, 'w8.1', '2k12R2'],
  [9200, 'w8', '2k12'],
  [7600, 'w7', '2k8R2'],
  [6000, '2k8', '2k8'],
  [3790, '2k3', '2k3'],
  [2600, 'xp', '2k3'],
];

/** Since Windows 10 the kernel's driver interface is one: older folders serve newer releases, where their own is missing. */
const NEWEST_FIRST = { client: ['w11', 'w10'], server: ['2k25', '2k22', '2k19', '2k16'] };

const kin = ({ server }: WindowsRelease): readonly string[] => (server ? NEWEST_FIRST.server : NEWEST_FIRST.client);

/** virtio-win's folders for the release, the best first; none for one before Windows XP. */
export function virtioFolders(release: WindowsRelease): readonly string[] {
  const [, client, server] = RELEASES.find(([build]) => release.build >= build) ?? [];
  const own = release.server ? server : client;
  if (own === undefined) return [];
  const at = kin(release).indexOf(own);
  return at < 0 ? [own] : kin(release).slice(at);
}

/**
 * The names under which virt-v2v may look for a release: it knows Windows by its own list, on which the newest may be
 * missing (2.2.0 takes Server 2025 for 2016).
 */
export function searchedFolders(release: WindowsRelease): readonly string[] {
  const [own] = virtioFolders(release);
  if (own === undefined) return [];
  if (kin(release).includes(own)) return kin(release);
  // Windows Vista has Server 2008's drivers.
  return own === '2k8' && !release.server ? ['vista'] : [own];
}

/** Of a processor, as virtio-win has it. */
export const archFolder = (arch: string): 'amd64' | 'x86' | undefined =>
  arch === 'x86_64' ? 'amd64' : arch === 'i386' ? 'x86' : undefined;
