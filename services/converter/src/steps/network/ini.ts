/** One `key=value` of a file with sections (systemd.syntax(7), NetworkManager's keyfiles). */
export interface IniEntry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Of its line, from 0. */
  readonly line: number;
}

/** Comments and what is no entry are skipped. */
export function iniEntries(lines: readonly string[]): IniEntry[] {
  const entries: IniEntry[] = [];
  let section = '';
  for (const [line, text] of lines.entries()) {
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    if (trimmed.startsWith('[') && trimmed.endsWith(']')) section = trimmed.slice(1, -1);
    const equals = trimmed.indexOf('=');
    if (equals <= 0) continue;
    entries.push({ section, line, key: trimmed.slice(0, equals).trimEnd(), value: trimmed.slice(equals + 1).trim() });
  }
  return entries;
}
