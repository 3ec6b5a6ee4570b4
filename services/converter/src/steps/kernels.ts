/** Versions of kernels. */

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
