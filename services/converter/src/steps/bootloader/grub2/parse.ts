/** GRUB 2's configuration (grub.cfg), a script of which only the lines that grub-mkconfig writes are understood. */
import { expand } from './variables.js';

export interface GrubEntry {
  /** Titles of the submenus that it is in, then its own: GRUB joins them with `>`. */
  readonly titles: readonly string[];
  /** Like `titles`: the `--id` or `$menuentry_id_option` of each; empty where it has none. */
  readonly ids: readonly string[];
  /** Like `titles`: the place of each in its menu, from 0. */
  readonly places: readonly number[];
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly commandLine: string;
}

export interface GrubCfg {
  readonly entries: readonly GrubEntry[];
  /** What `set name=value` says, the first of each name (later ones are in branches that are seldom taken). */
  readonly variables: ReadonlyMap<string, string>;
  /** Entries come from /boot/loader/entries (`blscfg`). */
  readonly usesBls: boolean;
}

export const LINUX_LINE = /^([ \t]*linux(?:16|efi)?[ \t]+)(\S+)(.*)$/s;
const INITRD_LINE = /^[ \t]*initrd(?:16|efi)?[ \t]+(.*)$/s;
export const SET_LINE = /^[ \t]*set[ \t]+(\w+)=(.*)$/s;

/** SUSE makes one for each snapshot; more is an attempt to fill the memory, and so are menus nested without end. */
const MOST_ENTRIES = 2000;
const MOST_NESTED = 16;

interface Menu {
  readonly titles: readonly string[];
  readonly ids: readonly string[];
  readonly places: readonly number[];
  /** Entries and submenus seen in it so far. */
  count: number;
}

/** @param environment what grubenv holds; it wins over what the file sets */
export function parseGrubCfg(text: string, environment: ReadonlyMap<string, string> = new Map()): GrubCfg {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const variables = setVariables(lines);
  const values = new Map([...variables, ...environment]);
  const entries: (GrubEntry & { initrds: readonly string[] })[] = [];
  const menus: Menu[] = [{ titles: [], ids: [], places: [], count: 0 }];
  let usesBls = false;
  for (const line of lines) {
    if (entries.length >= MOST_ENTRIES) break;
    const trimmed = line.trim();
    const menu = menus.at(-1);
    if (menu === undefined) break;
    if (/^(?:menuentry|submenu)[ \t]/.test(trimmed)) menus.push(opened(trimmed, menu));
    else if (trimmed.endsWith('{') && !trimmed.startsWith('#')) menus.push({ ...menu, count: 0 });
    else if (trimmed === '}' && menus.length > 1) menus.pop();
    else if (trimmed === 'blscfg' || trimmed.startsWith('blscfg ')) usesBls = true;
    else {
      const linux = LINUX_LINE.exec(line);
      if (linux) {
        const { titles, ids, places } = menu;
        const commandLine = expand(linux[3] ?? '', values).trim();
        entries.push({ titles, ids, places, kernel: expand(linux[2] ?? '', values), initrds: [], commandLine });
      }
      const initrd = INITRD_LINE.exec(line)?.[1];
      const last = entries.at(-1);
      if (initrd !== undefined && last !== undefined && last.initrds.length === 0) {
        entries[entries.length - 1] = { ...last, initrds: words(expand(initrd, values)) };
      }
    }
  }
  return { entries, variables, usesBls };
}

function opened(line: string, parent: Menu): Menu {
  const title = firstWord(line.slice(line.search(/[ \t]/)).trim());
  const id = /(?:--id(?:=|[ \t]+)|\$menuentry_id_option[ \t]+)(?:'([^']*)'|"([^"]*)"|([^\s'"]+))/.exec(line);
  const place = parent.count;
  parent.count += 1;
  if (parent.titles.length >= MOST_NESTED) return { ...parent, count: 0 };
  return {
    titles: [...parent.titles, title],
    ids: [...parent.ids, id?.[1] ?? id?.[2] ?? id?.[3] ?? ''],
    places: [...parent.places, place],
    count: 0,
  };
}

function setVariables(lines: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = SET_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || variables.has(name)) continue;
    // What is started once (`set default="${next_entry}"`) is not what is started by default.
    if (name !== 'default' || !value.includes('next_entry')) variables.set(name, firstWord(value));
  }
  return variables;
}

/** The first word of a line, without its quotes. */
function firstWord(text: string): string {
  const match = /^(?:'([^']*)'|"([^"]*)"|(\S+))/.exec(text);
  return match?.[1] ?? match?.[2] ?? match?.[3] ?? '';
}

export const words = (text: string): string[] => text.split(/[ \t]+/).filter((word) => word !== '');
