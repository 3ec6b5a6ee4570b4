/** Kernels and the boot entries that start them. */

/** One `menuentry` of grub.cfg that starts a Linux, as far as it matters here. */
export interface BootEntry {
  /** As the boot loader sees it: relative to /boot where that is a file system of its own. */
  readonly kernel: string;
  readonly initrd: string | undefined;
  readonly commandLine: string;
}

/** The entries of a grub.cfg (GRUB 2): `linux <file> <arguments>` and the `initrd <file>` that follows. */
export function bootEntries(grubCfg: string): BootEntry[] {
  const entries: { kernel: string; initrd: string | undefined; commandLine: string }[] = [];
  for (const line of grubCfg.split('\n')) {
    const linux = /^\s*linux(?:16|efi)?\s+(\S+)[ \t]*(.*)$/.exec(line);
    if (linux?.[1] !== undefined)
      entries.push({ kernel: linux[1], initrd: undefined, commandLine: (linux[2] ?? '').trim() });
    const initrd = /^\s*initrd(?:16|efi)?\s+(.*)$/.exec(line)?.[1];
    const last = entries.at(-1);
    // Microcode comes first in the list; the initramfs is the last.
    if (initrd !== undefined && last !== undefined) last.initrd ??= initrd.trim().split(/\s+/).at(-1);
  }
  return entries;
}

/** `/boot/vmlinuz-6.1.0-28-amd64` → `6.1.0-28-amd64` */
export function kernelVersion(file: string): string | undefined {
  return /\/vmlinu[zx]-([0-9][^/]*)$/.exec(file)?.[1];
}

/**
 * Versions compared as versions, not as text: 6.1.0-28 is newer than 6.1.0-9. Digits by value, the rest by text; `~`
 * before everything, as packages have it.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const order = compareParts(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

/** An end is the empty part. */
function compareParts(x: string, y: string): number {
  if (x === y) return 0;
  if (x === '~' || y === '~') return x === '~' ? -1 : 1;
  if (/^\d/.test(x) && /^\d/.test(y)) return Number(x) - Number(y);
  return x < y ? -1 : 1;
}

const parts = (version: string): string[] => version.match(/\d+|~|[^\d~]+/g) ?? [];
