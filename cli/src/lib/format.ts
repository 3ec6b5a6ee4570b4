const GB = 1e9;
const MB = 1e6;
const TB = 1e12;

/** Sizes as the design's examples write them: `85.2 GB` is 85.2 × 10^9 bytes; fleets have more: `170 TB`. */
export function sizeWord(bytes: number): string {
  const [value, unit] =
    bytes >= 10 * TB ? [bytes / TB, 'TB'] : bytes >= GB / 10 ? [bytes / GB, 'GB'] : [bytes / MB, 'MB'];
  return `${value.toFixed(1).replace(/\.0$/, '')} ${unit}`;
}

/** `120 MB/s` */
export function rateWord(bytesPerSecond: number): string {
  if (bytesPerSecond >= GB) return `${(bytesPerSecond / GB).toFixed(1)} GB/s`;
  const mb = bytesPerSecond / MB;
  return `${mb >= 10 ? mb.toFixed(0) : mb.toFixed(1)} MB/s`;
}

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Quotes an argument for a POSIX shell where it needs it, for commands that the user is to copy. */
export const shellQuote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** Text of other machines (names, messages) without control characters: it must not steer the terminal. */
export const printable = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- these are what is removed
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '').replaceAll(/[\t\n]+/g, ' ');
