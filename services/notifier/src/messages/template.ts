import mustache from 'mustache';
import { escapeHtml, escapeSlack } from './escape.js';
import type { Variables } from './variables.js';
import type { View } from './view.js';

export const FORMATS = ['subject', 'text', 'html', 'slack'] as const;
export type Format = (typeof FORMATS)[number];

const ESCAPES: Readonly<Record<Format, (text: string) => string>> = {
  subject: (text) => text,
  text: (text) => text,
  html: escapeHtml,
  slack: escapeSlack,
};

/**
 * Marks of a block at the beginning of a line of a `.slack` template. They become characters that no value has, so that a VM with
 * the name `# x` makes no header.
 */
export const MARKS = { header: '\u0001', field: '\u0002', context: '\u0003', divider: '\u0004' } as const;
const MARKED: readonly (readonly [RegExp, string])[] = [
  [/^# +/gm, MARKS.header],
  [/^\| +/gm, MARKS.field],
  [/^-# +/gm, MARKS.context],
  [/^---+ *$/gm, MARKS.divider],
];

/** Of mustache.js: kind, name, where it starts and ends; of sections also what is within. */
type Token = readonly [kind: string, name: string, start: number, end: number, within?: readonly Token[]];

/** One thing that is wrong with a template, and where. */
export interface Mistake {
  readonly line: number;
  readonly problem: string;
}

/** A template that is right: it has known variables only, and nothing that could say something else. */
export type Template = (view: View) => string;

/** @returns what is wrong, where something is */
export function compile(source: string, format: Format, variables: Variables): Template | readonly Mistake[] {
  const prepared = prepare(source, format);
  const lineOf = (at: number): number => prepared.slice(0, at).split('\n').length;
  const writer = new mustache.Writer();
  let tokens: readonly Token[];
  try {
    tokens = writer.parse(prepared) as readonly Token[];
  } catch (error) {
    const [, problem = '', at = '0'] = /^(.*) at (\d+)$/s.exec((error as Error).message) ?? [];
    return [{ line: lineOf(Number(at)), problem: lowerFirst(problem) }];
  }
  if (prepared.trim() === '') return [{ line: 1, problem: 'it is empty' }];
  const mistakes = [...check(tokens, [variables])].map(({ at, problem }) => ({ line: lineOf(at), problem }));
  if (mistakes.length > 0) return mistakes;
  const options = { escape: (value: unknown) => ESCAPES[format](String(value)) };
  return (view) =>
    writer.renderTokens(tokens as unknown as string[][], new mustache.Context(view), undefined, undefined, options);
}

function prepare(source: string, format: Format): string {
  const plain = source
    .replace(/^\ufeff/, '')
    .replaceAll('\r\n', '\n')
    .replaceAll(/[^\P{Cc}\n\t]/gu, '');
  // The end of the file ends the line, it is not part of it.
  if (format === 'subject') return plain.trimEnd();
  if (format !== 'slack') return plain;
  return MARKED.reduce((text, [pattern, mark]) => text.replaceAll(pattern, mark), plain);
}

function* check(
  tokens: readonly Token[],
  scopes: readonly Variables[],
): Generator<{ readonly at: number; readonly problem: string }> {
  for (const [kind, name, at, , within = []] of tokens) {
    if (kind === 'text' || kind === '!') continue;
    const problem = refused(kind, name, scopes);
    if (problem !== undefined) yield { at, problem };
    else if (kind === '#') yield* check(within, [...scopes, variable(name, scopes)?.of ?? THIS]);
    else if (kind === '^') yield* check(within, scopes);
  }
}

/** Within a section of a plain variable `{{.}}` is its value. */
const THIS: Variables = { '.': { about: 'the value' } };

function refused(kind: string, name: string, scopes: readonly Variables[]): string | undefined {
  if (kind === '>') return `{{> ${name}}}: templates take no other files`;
  if (kind === '=') return 'the marks {{ and }} cannot be changed';
  if (kind === '&') return `${name} is always escaped: write {{${name}}}`;
  const found = variable(name, scopes);
  if (found === undefined) return `there is no variable ${name} here; there are ${namesOf(scopes)}`;
  if (kind === 'name' && found.of !== undefined) return `${name} is a section: {{#${name}}}…{{/${name}}}`;
  return undefined;
}

const variable = (name: string, scopes: readonly Variables[]) =>
  name === '.'
    ? scopes.at(-1)?.['.']
    : scopes
        .map((scope) => (Object.hasOwn(scope, name) ? scope[name] : undefined))
        .findLast((one) => one !== undefined);

const namesOf = (scopes: readonly Variables[]): string =>
  [...new Set(scopes.toReversed().flatMap((scope) => Object.keys(scope)))].join(', ');

const lowerFirst = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
