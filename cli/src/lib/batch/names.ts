import { UsageError } from '../errors.js';

/** The longest that a name, inventory path or id may be. */
const LONGEST = 1024;

/**
 * VMs of a text file, one a line. Blank lines and comments do not count: `#` at the start of a line, or between blanks behind a
 * name, so that a VM may be called `web #1`. An inventory path is taken whole: `hyperctl vms --quiet` writes them.
 * @throws UsageError naming the line
 */
export function parseNames(text: string, shown: string): string[] {
  const lines = new Map<string, number>();
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = raw.replace(/^\s*#.*$/, '').trim();
    const name = line.startsWith('/') ? line : line.replace(/\s#(?:\s.*)?$/, '').trim();
    if (name === '') continue;
    const at = `${shown}:${index + 1}`;
    if (name.length > LONGEST) throw new UsageError(`${at}: the name is longer than ${LONGEST} characters`);
    const first = lines.get(name);
    if (first !== undefined) throw new UsageError(`${at}: ${name} is in line ${first} already`);
    lines.set(name, index + 1);
  }
  if (lines.size === 0) throw new UsageError(`${shown} names no VM`, 'one name, inventory path or id a line');
  return [...lines.keys()];
}
