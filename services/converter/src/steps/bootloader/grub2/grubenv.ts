/** GRUB's environment block: https://www.gnu.org/software/grub/manual/grub/html_node/Environment-block.html */
const HEADER = '# GRUB Environment Block\n';
/** GRUB writes to its sectors, so it never grows: the rest is `#`. */
const BYTES = 1024;

/** `name=value` lines; a backslash stands before a backslash or a line's end that is meant. */
export function parseGrubenv(text: string): Map<string, string> {
  const values = new Map<string, string>();
  if (!text.startsWith(HEADER)) return values;
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !line.startsWith('#')) {
      values.set(line.slice(0, equals), line.slice(equals + 1).replaceAll(/\\(.)/g, '$1'));
    }
  }
  return values;
}

export const grubenvValue = (text: string, name: string): string | undefined => parseGrubenv(text).get(name);

/** The block with one value changed: 1024 bytes again. Undefined where it is no such block, or has no room. */
export function formatGrubenv(text: string, name: string, value: string): string | undefined {
  if (!text.startsWith(HEADER) || text.length !== BYTES) return undefined;
  const escaped = value.replaceAll('\\', '\\\\');
  const lines = text.split('\n');
  // The padding stands in the last line.
  const padding = lines.pop() ?? '';
  if (!/^#*$/.test(padding)) return undefined;
  const body = lines.map((line) => (line.startsWith(`${name}=`) ? `${name}=${escaped}` : line)).join('\n');
  return body.length + 1 > BYTES ? undefined : `${body}\n`.padEnd(BYTES, '#');
}
