/** fstab(5) and crypttab(5), as far as they say what is mounted where. */

export interface FstabEntry {
  readonly spec: string;
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

export interface CrypttabEntry {
  readonly name: string;
  readonly spec: string;
}

/** Fields are separated by blanks, which stand as `\040` within one. */
const fields = (line: string): string[] =>
  line
    .trim()
    .split(/[ \t]+/)
    .map(unescapeOctal);

const unescapeOctal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));

const linesOf = (text: string): string[] =>
  text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));

/** Lines with fewer than two fields are left out, as mount(8) does. */
export function parseFstab(text: string): FstabEntry[] {
  return linesOf(text).flatMap((line): FstabEntry[] => {
    const [spec, path, type = 'auto', options = 'defaults'] = fields(line);
    if (spec === undefined || path === undefined) return [];
    return [{ spec: spec.replaceAll('"', ''), path, type, options: options.split(',') }];
  });
}

export function parseCrypttab(text: string): CrypttabEntry[] {
  return linesOf(text).flatMap((line): CrypttabEntry[] => {
    const [name, spec] = fields(line);
    return name === undefined || spec === undefined ? [] : [{ name, spec: spec.replaceAll('"', '') }];
  });
}
