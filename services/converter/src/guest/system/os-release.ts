/** os-release(5) and the files that came before it. */

export interface Release {
  readonly distro: string;
  readonly product: string;
  readonly version: { readonly major: number; readonly minor: number };
}

/** libguestfs's words where they differ from the ID of os-release. */
const DISTROS: Readonly<Record<string, string>> = {
  arch: 'archlinux',
  'opensuse-leap': 'opensuse',
  'opensuse-tumbleweed': 'opensuse',
  ol: 'oraclelinux',
  sled: 'sles',
  sles_sap: 'sles',
  linuxmint: 'linuxmint',
};

export function parseOsRelease(text: string): Release | undefined {
  const field = (name: string): string | undefined => {
    const [, quoted, plain] = new RegExp(`^${name}=(?:["']([^"'\\n]*)["']|(\\S*))`, 'm').exec(text) ?? [];
    return (quoted ?? plain)?.trim() || undefined;
  };
  const id = field('ID')?.toLowerCase();
  const name = field('PRETTY_NAME') ?? field('NAME');
  if (id === undefined && name === undefined) return undefined;
  const distro = id ?? 'unknown';
  return {
    distro: DISTROS[distro] ?? distro,
    product: printable(name ?? distro),
    version: versionIn(field('VERSION_ID') ?? ''),
  };
}

/** In the order in which they are asked; a derived system often has its parent's file too. */
export const OLD_RELEASES = [
  '/etc/fedora-release',
  '/etc/oracle-release',
  '/etc/centos-release',
  '/etc/redhat-release',
  '/etc/system-release',
  '/etc/SuSE-release',
  '/etc/alpine-release',
  '/etc/gentoo-release',
  '/etc/slackware-version',
  '/etc/arch-release',
  '/etc/debian_version',
] as const;

/** `Red Hat Enterprise Linux Server release 6.10 (Santiago)`, `6.0.10`. */
export function parseOldRelease(file: string, text: string): Release {
  const line = printable(text.split('\n')[0] ?? '');
  const version = versionIn(line);
  const named = (distro: string, product: string): Release => ({
    distro,
    product: /^[A-Z]/i.test(line) && /\d/.test(line) ? line : `${product} ${line}`.trim(),
    version,
  });
  if (file.endsWith('debian_version')) return { distro: 'debian', product: `Debian GNU/Linux ${line}`, version };
  if (file.endsWith('alpine-release')) return { distro: 'alpine', product: `Alpine Linux ${line}`, version };
  if (file.endsWith('arch-release')) return { distro: 'archlinux', product: 'Arch Linux', version };
  if (file.endsWith('gentoo-release')) return named('gentoo', 'Gentoo');
  if (file.endsWith('slackware-version')) return named('slackware', 'Slackware');
  if (/suse/i.test(file)) return named(/enterprise/i.test(line) ? 'sles' : 'opensuse', 'SUSE');
  if (/fedora/i.test(line)) return named('fedora', 'Fedora');
  if (/centos/i.test(line)) return named('centos', 'CentOS');
  if (/oracle/i.test(line) || file.endsWith('oracle-release')) return named('oraclelinux', 'Oracle Linux');
  if (/amazon/i.test(line)) return named('amzn', 'Amazon Linux');
  return named(/red hat/i.test(line) ? 'rhel' : 'redhat-based', 'Red Hat');
}

function versionIn(text: string): Release['version'] {
  const [, major, minor] = /(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return { major: Number(major ?? 0), minor: Number(minor ?? 0) };
}

/** It goes into logs and terminals. */
const printable = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
    .replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, ' ')
    .trim()
    .slice(0, 200);
