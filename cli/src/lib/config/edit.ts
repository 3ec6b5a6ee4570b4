import { isDeepStrictEqual } from 'node:util';
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  parse,
  parseDocument,
  stringify,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { UsageError } from '../errors.js';
import type { Value } from './kinds.js';

export type Path = readonly string[];
type Tree = Record<string, unknown>;

/**
 * The text of a file with one value set, or made. All else stays as it was written, comments and layout: only the value's own
 * characters change, or lines are added. What that cannot do (it is checked) is written anew from the document, with its comments.
 * @param text valid YAML
 * @throws UsageError where something that is no mapping stands in the way
 */
export function setValue(text: string, path: Path, value: Value): string {
  const wanted = treeOf(text);
  let node: Tree = wanted;
  for (const [index, key] of path.slice(0, -1).entries()) {
    const next = (node[key] ??= {});
    if (typeof next !== 'object' || Array.isArray(next))
      throw new UsageError(`${path.slice(0, index + 1).join('.')} is no mapping`, 'hyperctl config unset it first');
    node = next as Tree;
  }
  node[path.at(-1) ?? ''] = value;
  return (
    firstFitting([replaced(text, path, value), inserted(text, path, value)], wanted) ??
    rewritten(text, (document) => setIn(document, path, value))
  );
}

/**
 * The text without a value, and without mappings that would be empty then; undefined where there is no such value.
 * @param keep so many keys of the path stay, even with nothing below them: a context is there also when it says nothing
 */
export function unsetValue(text: string, path: Path, keep = 0): string | undefined {
  const wanted = treeOf(text);
  const parents: Tree[] = [wanted];
  for (const key of path.slice(0, -1)) {
    const next = parents.at(-1)?.[key];
    if (typeof next !== 'object' || next === null) return undefined;
    parents.push(next as Tree);
  }
  if (!Object.hasOwn(parents.at(-1) ?? {}, path.at(-1) ?? '')) return undefined;
  let depth = path.length - 1;
  while (depth > keep && Object.keys(parents[depth] ?? {}).length === 1) depth -= 1;
  const gone = path.slice(0, depth + 1);
  delete parents[depth]?.[gone.at(-1) ?? ''];
  const kept = parents[depth - 1];
  if (kept !== undefined && Object.keys(parents[depth] ?? {}).length === 0) kept[path[depth - 1] ?? ''] = null;
  return firstFitting([removed(text, gone)], wanted) ?? rewritten(text, (document) => document.deleteIn(gone));
}

/** The text with one key called otherwise. */
export function renameKey(text: string, path: Path, name: string): string {
  const pair = pairAt(text, path);
  const range = isScalar(pair?.key) ? pair.key.range : undefined;
  if (range === undefined || range === null) throw new UsageError(`there is no ${path.join('.')}`);
  return text.slice(0, range[0]) + word(name, true) + text.slice(range[1]);
}

function treeOf(text: string): Tree {
  const tree: unknown = parse(text) ?? {};
  if (typeof tree !== 'object' || Array.isArray(tree)) throw new UsageError('the file holds no sections');
  return tree as Tree;
}

function firstFitting(texts: readonly (string | undefined)[], wanted: Tree): string | undefined {
  return texts.find((text) => {
    if (text === undefined) return false;
    try {
      return isDeepStrictEqual(parse(text) ?? {}, wanted);
    } catch {
      return false;
    }
  });
}

/** A section of which only the name is there becomes a mapping. */
function setIn(document: Document, path: Path, value: Value): void {
  const empty = path.findIndex((_, at) => at > 0 && document.getIn(path.slice(0, at)) === null);
  if (empty === -1) return document.setIn(path, value);
  const within = path.slice(empty).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  document.setIn(path.slice(0, empty), document.createNode(within));
}

function rewritten(text: string, change: (document: Document) => unknown): string {
  const document = parseDocument(text);
  change(document);
  return document.toString({ lineWidth: 0 });
}

function pairAt(text: string, path: Path): Pair | undefined {
  let node: unknown = parseDocument(text).contents;
  let found: Pair | undefined;
  for (const key of path) {
    if (!isMap(node)) return undefined;
    found = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    node = found?.value;
  }
  return found;
}

/** Only a value that is there. */
function replaced(text: string, path: Path, value: Value): string | undefined {
  const node = pairAt(text, path)?.value;
  if (!isScalar(node) && !isAlias(node)) return undefined;
  const { range } = node;
  if (!range || range[0] === range[1]) return undefined;
  const isQuoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
  return text.slice(0, range[0]) + word(value, !isQuoted) + text.slice(range[1]);
}

/** A scalar that may stand anywhere. */
function word(value: Value, plain: boolean): string {
  if (typeof value !== 'string') return String(value);
  const written = stringify(value, { lineWidth: 0 }).trimEnd();
  return plain && written === value && !/[,[\]{}]/.test(value) ? value : JSON.stringify(value);
}

/** At the end of the innermost mapping that is there. */
function inserted(text: string, path: Path, value: Value): string | undefined {
  const root: unknown = parseDocument(text).contents;
  let depth = 0;
  let map: unknown = root;
  for (; depth < path.length - 1; depth += 1) {
    const next = pairAt(text, path.slice(0, depth + 1))?.value;
    if (!isMap(next)) break;
    map = next;
  }
  const rest = path.slice(depth);
  if (!isMap(map))
    return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${lines(rest, value, '', stepOf(text))}`;
  const last = map.items.at(-1);
  if (map.flow === true) return intoFlow(text, map, last, rest, value);
  const start = startOf(last?.key);
  const end = endOf(last);
  if (start === undefined || end === undefined) return undefined;
  const indent = ' '.repeat(start - lineStart(text, start));
  const at = lineEnd(text, end);
  const before = text.slice(0, at);
  const newline = before.endsWith('\n') || before === '' ? '' : '\n';
  return before + newline + lines(rest, value, indent, stepOf(text)) + text.slice(at);
}

function intoFlow(text: string, map: YAMLMap, last: Pair | undefined, path: Path, value: Value): string | undefined {
  const flow = path.slice(1).reduceRight((inner, key) => `{ ${word(key, true)}: ${inner} }`, word(value, true));
  const entry = `${word(path[0] ?? '', true)}: ${flow}`;
  const end = endOf(last) ?? startOf(map);
  if (end === undefined) return undefined;
  return last === undefined
    ? `${text.slice(0, end)}{ ${entry} }${text.slice(map.range?.[1] ?? end)}`
    : `${text.slice(0, end)}, ${entry}${text.slice(end)}`;
}

function lines(path: Path, value: Value, indent: string, step: string): string {
  return path
    .map((key, index) => {
      const isLast = index === path.length - 1;
      return `${indent}${step.repeat(index)}${word(key, true)}:${isLast ? ` ${word(value, true)}` : ''}\n`;
    })
    .join('');
}

/** Whole lines, where the key begins one; of what stands in braces the entry with its comma. */
function removed(text: string, path: Path): string | undefined {
  const pair = pairAt(text, path);
  const start = startOf(pair?.key);
  const end = endOf(pair);
  if (start === undefined || end === undefined) return undefined;
  const around: unknown = path.length === 1 ? undefined : pairAt(text, path.slice(0, -1))?.value;
  if (isMap(around) && around.flow === true) {
    const at = around.items.findIndex((item) => startOf(item.key) === start);
    const next = startOf(around.items[at + 1]?.key);
    if (next !== undefined) return text.slice(0, start) + text.slice(next);
    const before = endOf(around.items[at - 1]);
    return before === undefined ? undefined : text.slice(0, before) + text.slice(end);
  }
  const from = lineStart(text, start);
  return text.slice(from, start).trim() === '' ? text.slice(0, from) + text.slice(lineEnd(text, end)) : undefined;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;
/** Behind the line's end. */
const lineEnd = (text: string, at: number): number => {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
};
const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0];

/** Behind the last character that belongs to a pair's value, comments left out. */
function endOf(pair: Pair | undefined): number | undefined {
  const value = pair?.value;
  if (isCollection(value) && value.flow !== true) {
    const last: unknown = value.items.at(-1);
    return isMap(value) ? endOf(last as Pair | undefined) : (last as Node | undefined)?.range?.[1];
  }
  return (value as Node | null | undefined)?.range?.[1] ?? (pair?.key as Node | undefined)?.range?.[1];
}

/** By how much the file's first nested mapping is indented. */
const stepOf = (text: string): string => /^[^\s#].*:[ \t]*(?:#.*)?\n( +)[^\s#-]/m.exec(text)?.[1] ?? '  ';
