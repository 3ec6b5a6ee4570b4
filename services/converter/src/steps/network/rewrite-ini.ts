import { macMatch } from './files.js';
import type { Hardware, Rewritten } from './hardware.js';
import { iniEntries, type IniEntry } from './ini.js';
import { isMac } from './mentions.js';

/** Edits lines of a file: each may be replaced by any number of others. */
class Lines {
  readonly edits: string[] = [];
  readonly unresolved: string[] = [];
  private readonly replaced = new Map<number, readonly string[]>();
  readonly lines: readonly string[];

  constructor(text: string) {
    this.lines = text.split('\n');
  }

  replace(index: number, by: readonly string[]): void {
    const before = (this.lines[index] ?? '').trim();
    if (by.length === 1 && by[0]?.trim() === before) return;
    this.replaced.set(index, by);
    this.edits.push(by.length === 0 ? `${before} left out` : `${before} → ${by.join(', ')}`);
  }

  /** The line with another value after its `=`. */
  setValue(entry: IniEntry, value: string): void {
    const line = this.lines[entry.line] ?? '';
    const equals = line.indexOf('=') + 1;
    const blank = /^[ \t]*/.exec(line.slice(equals))?.[0] ?? '';
    this.replace(entry.line, [`${line.slice(0, equals)}${blank}${value}`]);
  }

  result(): Rewritten {
    const text = this.lines.flatMap((line, index) => this.replaced.get(index) ?? [line]).join('\n');
    return { text, edits: this.edits, unresolved: this.unresolved };
  }
}

/**
 * networkd's .network and udev's .link: `Driver=vmxnet3` becomes virtio's, `Path=` and names made of the PCI slot become
 * the card's address, in [Match] alone.
 */
export function rewriteNetworkd(text: string, hardware: Hardware): Rewritten {
  const lines = new Lines(text);
  const match = iniEntries(lines.lines).filter(({ section }) => section === 'Match');
  const hasMac = match.some(({ key }) => key.endsWith('MACAddress'));
  let addressed = hasMac;
  const address = (entry: IniEntry, macs: readonly string[]): void => {
    lines.replace(entry.line, addressed ? [] : macMatch(macs, hardware.systemd ?? 0));
    addressed = true;
  };
  for (const entry of match) {
    const words = entry.value.split(/\s+/).filter((each) => each !== '');
    if (entry.key.endsWith('MACAddress')) newAddresses(lines, entry, words, hardware);
    else if (entry.key === 'Driver') {
      const changed = drivers(words, hardware, hasMac);
      if (Array.isArray(changed)) {
        if (changed.join(' ') !== words.join(' ')) lines.setValue(entry, changed.join(' '));
      } else if (changed !== undefined) address(entry, changed.macs);
      else lines.unresolved.push(`${entry.key}=${entry.value}`);
    } else if (
      entry.key === 'Path' ||
      (entry.key === 'OriginalName' && words.every((each) => /^en[spo]\d/.test(each)))
    ) {
      const macs = words.flatMap((each) => hardware.macOf(each) ?? []);
      if (macs.length === words.length && words.length > 0) address(entry, macs);
      else if (words.some((each) => each !== '*')) lines.unresolved.push(`${entry.key}=${entry.value}`);
    }
  }
  return lines.result();
}

/** NetworkManager's keyfiles: [match] `driver=` and `path=`, `mac-address=` of [ethernet]. */
export function rewriteKeyfile(text: string, hardware: Hardware): Rewritten {
  const lines = new Lines(text);
  const entries = iniEntries(lines.lines);
  const ethernet = /^(?:802-3-)?ethernet$/;
  let hasMac = entries.some(({ section, key }) => ethernet.test(section) && key === 'mac-address');
  const header = lines.lines.findIndex((line) => ethernet.test(/^\s*\[([^\]]*)\]\s*$/.exec(line)?.[1] ?? ''));
  for (const entry of entries) {
    const words = entry.value.split(/[;,\s]+/).filter((each) => each !== '');
    if (ethernet.test(entry.section) && entry.key === 'mac-address') newAddresses(lines, entry, words, hardware);
    if (entry.section !== 'match') continue;
    if (entry.key === 'driver') {
      const changed = drivers(words, hardware, hasMac);
      if (Array.isArray(changed)) {
        if (changed.join(';') !== words.join(';')) lines.setValue(entry, `${changed.join(';')};`);
      } else if (changed !== undefined) address(entry, changed.macs);
      else lines.unresolved.push(`driver=${entry.value}`);
    } else if (entry.key === 'path') {
      const macs = words.flatMap((each) => hardware.macOf(each) ?? []);
      if (macs.length === words.length) address(entry, macs);
      else lines.unresolved.push(`path=${entry.value}`);
    }
  }
  return lines.result();

  /** A profile takes one address only. */
  function address(entry: IniEntry, macs: readonly string[]): void {
    const [mac] = macs;
    if (hasMac || (macs.length === 1 && mac !== undefined && header >= 0)) {
      lines.replace(entry.line, []);
      if (!hasMac) lines.replace(header, [lines.lines[header] ?? '', `mac-address=${mac}`]);
      hasMac = true;
    } else lines.unresolved.push(`${entry.key}=${entry.value}`);
  }
}

/** ifcfg-*: `HWADDR`, where the source does not have the address. */
export function rewriteIfcfg(text: string, hardware: Hardware): Rewritten {
  const lines = new Lines(text);
  for (const [index, line] of lines.lines.entries()) {
    const match = /^([ \t]*HWADDR=["']?)([\da-fA-F:]{17})(.*)$/.exec(line);
    const to = match?.[2] === undefined ? undefined : hardware.newMac(match[2]);
    if (match && to !== undefined) lines.replace(index, [`${match[1]}${to}${match[3]}`]);
  }
  return lines.result();
}

function newAddresses(lines: Lines, entry: IniEntry, words: readonly string[], hardware: Hardware): void {
  const after = words.map((each) => (isMac(each) ? (hardware.newMac(each) ?? each) : each));
  if (after.some((each, index) => each !== words[index])) lines.setValue(entry, after.join(' '));
}

/** `!` and the like before a word. */
const sign = (word: string): string => /^[!&|]*/.exec(word)?.[0] ?? '';

/** A list of drivers after the change, the addresses that say the same, or undefined where neither is certain. */
function drivers(
  words: readonly string[],
  hardware: Hardware,
  hasMac: boolean,
): string[] | { readonly macs: readonly string[] } | undefined {
  const meant = words.map((each) => hardware.driver(each.replace(/^[!&|]+/, '')));
  if (meant.every((each) => each === undefined || each === false)) return [...words];
  if (hasMac || !meant.some((each) => Array.isArray(each))) {
    return [...new Set(words.map((each, index) => (meant[index] ? `${sign(each)}virtio_net` : each)))];
  }
  if (words.some((each) => /^[!&|]/.test(each)) || meant.includes(undefined) || meant.includes('virtio_net'))
    return undefined;
  return { macs: meant.filter((each) => Array.isArray(each)).flat() };
}
