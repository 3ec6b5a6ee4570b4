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

/**
 * Text of other machines (names, messages) without control characters, and without those that turn the direction of writing: it
 * must neither steer the terminal nor look like another text.
 */
export const printable = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- these are what is removed
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .replaceAll(/[\t\n\u2028\u2029]+/g, ' ');

/** JSON for a script, or for eyes: what JSON lets through unescaped, and a terminal may obey, is written as \u…, which is the same. */
export const jsonText = (document: unknown, indent?: number): string =>
  JSON.stringify(document, undefined, indent).replaceAll(
    // oxlint-disable-next-line no-control-regex -- these are what is escaped
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
