import type { GuestFacts } from '../../guest/index.js';

export type OsFacts = Pick<GuestFacts, 'type' | 'distro' | 'product' | 'version'>;

type Version = OsFacts['version'];
const both = ({ major, minor }: Version): string => `${major}.${minor}`;

/**
 * libosinfo's ids, by what os-release(5) or libguestfs calls the system. They follow one scheme for each family, so that
 * newer versions have an id too; a host whose osinfo-db is older than the guest takes it for an unknown system.
 */
const LINUX: Record<string, (version: Version, product: string) => string | undefined> = {
  debian: ({ major }) => `debian.org/debian/${major === 0 ? 'testing' : major}`,
  ubuntu: ({ major, minor }) => `ubuntu.com/ubuntu/${major}.${String(minor).padStart(2, '0')}`,
  rhel: (version) => `redhat.com/rhel/${both(version)}`,
  centos: centosId,
  rocky: ({ major }) => `rockylinux.org/rocky/${major}`,
  almalinux: ({ major }) => `almalinux.org/almalinux/${major}`,
  ol: (version) => `oracle.com/ol/${both(version)}`,
  fedora: ({ major }) => `fedoraproject.org/fedora/${major}`,
  sles: ({ major, minor }) => `suse.com/${major >= 15 ? 'sle' : 'sles'}/${major}${minor > 0 ? `.${minor}` : ''}`,
  opensuse: (version, product) =>
    /tumbleweed/i.test(product) ? 'opensuse.org/opensuse/tumbleweed' : `opensuse.org/opensuse/${both(version)}`,
  arch: () => 'archlinux.org/archlinux/rolling',
  alpine: (version) => `alpinelinux.org/alpinelinux/${both(version)}`,
  gentoo: () => 'gentoo.org/gentoo/rolling',
};

/** Other names of the same: libguestfs's, and os-release's own variants. */
const ALIASES: Record<string, string> = {
  redhat: 'rhel',
  alma: 'almalinux',
  rockylinux: 'rocky',
  oraclelinux: 'ol',
  archlinux: 'arch',
  alpinelinux: 'alpine',
  sle: 'sles',
  sles_sap: 'sles',
  'opensuse-leap': 'opensuse',
  'opensuse-tumbleweed': 'opensuse',
};

function centosId({ major, minor }: Version, product: string): string {
  if (/stream/i.test(product) || major >= 9) return `centos.org/centos-stream/${major}`;
  if (major === 8) return 'centos.org/centos/8';
  return `centos.org/centos/${major}.${major === 7 ? 0 : minor}`;
}

/** By words of the product's name, the longer ones first. */
const WINDOWS: readonly (readonly [RegExp, string])[] = [
  [/2025/, '2k25'],
  [/2022/, '2k22'],
  [/2019/, '2k19'],
  [/2016/, '2k16'],
  [/2012 R2/i, '2k12r2'],
  [/2012/, '2k12'],
  [/2008 R2/i, '2k8r2'],
  [/2008/, '2k8'],
  [/2003 R2/i, '2k3r2'],
  [/2003/, '2k3'],
  [/\b11\b/, '11'],
  [/\b10\b/, '10'],
  [/\b8\.1\b/, '8.1'],
  [/\b8\b/, '8'],
  [/\b7\b/, '7'],
  [/vista/i, 'vista'],
  [/\bxp\b/i, 'xp'],
];

/** The id of the guest's system in libosinfo, such as `http://debian.org/debian/12`; undefined for what it has no name for. */
export function osinfoId({ type, distro, product, version }: OsFacts): string | undefined {
  if (type === 'windows') {
    const found = WINDOWS.find(([words]) => words.test(product))?.[1];
    return found === undefined ? undefined : `http://microsoft.com/win/${found}`;
  }
  if (type !== 'linux') return undefined;
  const name = distro.toLowerCase();
  const key = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  const id = Object.hasOwn(LINUX, key) ? LINUX[key]?.(version, product) : undefined;
  return id === undefined ? undefined : `http://${id}`;
}
