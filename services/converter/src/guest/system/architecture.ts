import type { Appliance } from '../appliance.js';

/** The words of dpkg, apk and rpm for what the kernel calls otherwise. */
const NAMES: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  i486: 'i386',
  i586: 'i386',
  i686: 'i386',
  x86: 'i386',
  ppc64el: 'ppc64le',
};

/** Of the guest's programs, else of its packages. */
export async function architecture(
  appliance: Appliance,
  packageFormat: string,
  programs: readonly string[],
): Promise<string> {
  for (const program of programs.slice(0, 3)) {
    const arch = (await appliance.attempt(['file-architecture', program])).trim();
    if (/^[\w.-]{1,32}$/.test(arch) && arch !== 'unknown') return arch;
  }
  const file = packageFormat === 'deb' ? '/var/lib/dpkg/arch' : packageFormat === 'apk' ? '/etc/apk/arch' : undefined;
  const told = file === undefined ? undefined : (await appliance.readText(file))?.split('\n')[0]?.trim();
  return told !== undefined && /^[\w-]{1,32}$/.test(told) ? (NAMES[told] ?? told) : 'unknown';
}
