import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument, type Document, type YAMLMap } from 'yaml';
import { UsageError } from '../errors.js';
import { didYouMean, nearest } from '../near.js';
import { refuseOpen } from '../secret-file.js';
import { CONTEXT_NAME, type Value } from './kinds.js';
import { KEYS, SECTIONS, settingOf } from './table.js';
import { hasVariables } from './variables.js';

/** Values by key, as they are written: variables are not replaced yet. */
export type Said = ReadonlyMap<string, Value>;

export interface ConfigFile {
  readonly path: string;
  readonly exists: boolean;
  /** What counts in every context. */
  readonly common: Said;
  readonly contexts: ReadonlyMap<string, Said>;
}

export const noConfig = (path: string): ConfigFile => ({
  path,
  exists: false,
  common: new Map(),
  contexts: new Map(),
});

const MEND = 'mend it with an editor; hyperctl config path says where it is';
const MOST_TOLD = 10;

/** @throws UsageError with file, line and column of each thing that is wrong */
export function readConfig(path: string): ConfigFile {
  const text = readText(path);
  if (text === undefined) return noConfig(path);
  const file = parseConfig(path, text);
  const inline = inlineToken(file.common, file.contexts);
  if (inline !== undefined) refuseOpen(path, inline);
  return file;
}

/** Undefined where there is none. @throws UsageError */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UsageError(`${path} cannot be read: ${code === 'EISDIR' ? 'it is a directory' : message}`);
  }
}

/** The tree of a file that is YAML. @throws UsageError of one line */
export function parseTree(path: string, text: string): { document: Document; lines: LineCounter } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken === undefined) return { document, lines };
  const [at] = broken.linePos ?? [];
  // The rest of the message repeats the line, in which a secret may stand.
  const [what = ''] = broken.message.split(/ at line \d+|\n/);
  throw new UsageError(`${path}:${at?.line ?? 1}:${at?.col ?? 1}: not valid YAML: ${what.replace(/:$/, '')}`, MEND);
}

/** @throws UsageError */
export function parseConfig(path: string, text: string): ConfigFile {
  const { problems, ...file } = read(path, text);
  if (problems.length > 0) {
    const more = problems.length > MOST_TOLD ? [`and ${problems.length - MOST_TOLD} more`] : [];
    throw new UsageError([...problems.slice(0, MOST_TOLD), ...more].join('\n  '), MEND);
  }
  return file;
}

/** What can be read of a file whose keys or values are not all possible. @throws UsageError where it is not YAML */
export const tolerant = (path: string, text: string): ConfigFile => read(path, text);

function read(path: string, text: string): ConfigFile & { readonly problems: readonly string[] } {
  const { document, lines } = parseTree(path, text);
  const problems: string[] = [];
  const fail = (node: unknown, message: string): void => {
    const { line, col } = lines.linePos(startOf(node) ?? 0);
    problems.push(`${path}:${Math.max(1, line)}:${Math.max(1, col)}: ${message}`);
  };
  const common = new Map<string, Value>();
  const contexts = new Map<string, Said>();
  const root = document.contents;
  if (isMap(root)) {
    readLevel(root, { document, at: '', said: common, isContext: false, fail });
    const listed: unknown = resolved(root.get('contexts', true), document);
    if (isMap(listed)) readContexts(listed, document, contexts, fail);
    else if (!isEmpty(listed)) fail(listed, 'contexts: names with settings are expected, prod: {…}');
  } else if (!isEmpty(root)) fail(root, 'sections are expected, such as vsphere: {…}');
  return { path, exists: true, common, contexts, problems };
}

/** Where a token stands that is no variable. */
export function inlineToken(common: Said, contexts: ReadonlyMap<string, Said>): string | undefined {
  const isInline = (said: Said): boolean => said.has('token') && !hasVariables(said.get('token'));
  if (isInline(common)) return 'token';
  const [name] = [...contexts].find(([, said]) => isInline(said)) ?? [];
  return name === undefined ? undefined : `contexts.${name}.token`;
}

interface Level {
  readonly document: Document;
  /** Path of the mapping, empty or with a dot at its end. */
  readonly at: string;
  readonly said: Map<string, Value>;
  readonly isContext: boolean;
  readonly fail: (node: unknown, message: string) => void;
}

function readContexts(listed: YAMLMap, document: Document, contexts: Map<string, Said>, fail: Level['fail']): void {
  for (const { key, value } of listed.items) {
    const name = keyOf(key);
    const problem = problemOf(() => CONTEXT_NAME.read(name, true));
    if (problem !== undefined) fail(key, `contexts: ${problem}`);
    const said = new Map<string, Value>();
    contexts.set(name, said);
    const node = resolved(value, document);
    const of: Level['fail'] = (where, message) => fail(where, `contexts.${name}: ${message}`);
    if (isMap(node)) readLevel(node, { document, at: '', said, isContext: true, fail: of });
    else if (!isEmpty(node)) of(node, 'settings are expected, such as daemons: {…}');
  }
}

function readLevel(map: YAMLMap, level: Level): void {
  const { document, at, said, isContext, fail } = level;
  for (const { key: keyNode, value } of map.items) {
    const name = keyOf(keyNode);
    const key = `${at}${name}`;
    if (key === 'contexts' && !isContext) continue;
    const setting = settingOf(key);
    const node = resolved(value, document);
    if (setting?.whole === true && isContext) fail(keyNode, `${key} is of the whole file, not of a context`);
    else if (setting !== undefined) {
      if (isEmpty(node)) continue;
      const raw: unknown = isScalar(node) ? node.value : undefined;
      const problem = hasVariables(raw) ? undefined : problemOf(() => setting.kind.read(raw, false));
      if (problem === undefined) said.set(key, raw as Value);
      else fail(node, `${key}: ${problem}`);
    } else if (SECTIONS.has(key)) {
      if (isMap(node)) readLevel(node, { ...level, at: `${key}.` });
      else if (!isEmpty(node)) fail(node, `${key}: keys with values are expected`);
    } else fail(keyNode, unknownKey(key));
  }
}

/** What is said of a key that is none. */
export function unknownKey(key: string): string {
  if (/(^|\.)password$/.test(key))
    return `${key}: no password belongs here; it comes from VSPHERE_PASSWORD, or --password-file`;
  return `there is no key ${key}${didYouMean(nearKeys(key))}`;
}

/** Keys that may have been meant: ones that end like it, and ones that are written nearly so. */
export function nearKeys(key: string): string[] {
  const wanted = key.toLowerCase().replaceAll('-', '_');
  const last = wanted.split('.').at(-1) ?? wanted;
  const within = KEYS.filter((one) => one.startsWith(`${wanted}.`));
  const ending = KEYS.filter((one) => one.split('.').at(-1) === last);
  return [
    ...new Set([...nearest(wanted, KEYS, 1), ...ending, ...within, ...nearest(wanted, KEYS), ...byEnd(last)]),
  ].slice(0, 3);
}

const byEnd = (word: string): string[] => {
  const ends = nearest(
    word,
    KEYS.map((key) => key.split('.').at(-1) ?? key),
  );
  return KEYS.filter((key) => ends.includes(key.split('.').at(-1) ?? key));
};

function problemOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const resolved = (node: unknown, document: Document): unknown =>
  // An alias stands for what its anchor marks.
  typeof node === 'object' && node !== null && 'resolve' in node && 'source' in node
    ? (node as { resolve(of: Document): unknown }).resolve(document)
    : node;

const isEmpty = (node: unknown): boolean =>
  node === null || node === undefined || (isScalar(node) && (node.value === null || node.value === undefined));
const keyOf = (node: unknown): string => String(isScalar(node) ? node.value : node);
const startOf = (node: unknown): number | undefined =>
  typeof node === 'object' && node !== null && 'range' in node ? (node.range as number[] | null)?.[0] : undefined;
