/** GRUB's environment block: https://www.gnu.org/software/grub/manual/grub/html_node/Environment-block.html */
const HEADER = '# GRUB Environment Block\n';

/** `name=value` lines; `\` before a backslash or a line's end stands for itself. */
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
