/** Longest name of a folder, in bytes: 255 is the file system's, and a job id and `.partial` may be added. */
const LIMIT_BYTES = 180;

/**
 * A VM's name as one path component. Names may hold anything: separators and control characters become `_`, leading
 * dots and dashes too (hidden folders, options of tools), and nothing is longer than a file system takes.
 */
export function safeName(name: string): string {
  const clean = name
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|,]/gu, '_')
    .trim()
    .replace(/^[.\-~]+/, (lead) => '_'.repeat(lead.length));
  const short = cut(clean).replace(/[. ]+$/, '');
  return short === '' ? 'vm' : short;
}

function cut(name: string): string {
  let length = 0;
  let short = '';
  for (const character of name) {
    length += Buffer.byteLength(character);
    if (length > LIMIT_BYTES) break;
    short += character;
  }
  return short;
}
