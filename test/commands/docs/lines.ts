/** The commands that a page of Markdown has in its blocks for a shell. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(import.meta.url).replace(/\/test\/(dist\/)?commands\/.*$/, '');

export interface Line {
  /** Page, from the repository's root. */
  readonly page: string;
  /** From 1. */
  readonly number: number;
  /** As bash takes it: more than one line where it goes on, or has a document in it. */
  readonly text: string;
}

const beneath = (folder: string): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);

/** Those whose commands have to be true. */
export const pages = (): string[] => [
  'README.md',
  'cli/README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...beneath('deploy')
    .filter((name) => name.endsWith('/README.md'))
    .toSorted(),
  ...beneath('docs')
    .filter((name) => name.endsWith('.md'))
    .toSorted(),
];

const FENCE = /^( *)(```+)(\w*)/;
const SHELLS = new Set(['sh', 'bash', 'shell', 'console']);

export const linesOf = (page: string): Line[] =>
  commandsIn(readFileSync(path.join(ROOT, page), 'utf8')).map((line) => ({ page, ...line }));

/** All commands of a text, in order. Comments alone are none; where a block has prompts, what stands without is output. */
export function commandsIn(markdown: string): Omit<Line, 'page'>[] {
  const found: Omit<Line, 'page'>[] = [];
  const rows = markdown.split('\n');
  for (let at = 0; at < rows.length; at += 1) {
    const [, indent = '', fence = '', language = ''] = FENCE.exec(rows[at] ?? '') ?? [];
    if (fence === '') continue;
    const start = at + 1;
    do at += 1;
    while (at < rows.length && !(rows[at] ?? '').startsWith(`${indent}${fence}`));
    if (!SHELLS.has(language)) continue;
    const block = rows.slice(start, at).map((row) => row.slice(indent.length));
    found.push(...commandsOf(block, start + 1));
  }
  return found;
}

function commandsOf(block: readonly string[], firstNumber: number): Omit<Line, 'page'>[] {
  const hasPrompts = block.some((row) => row.startsWith('$ '));
  const found: Omit<Line, 'page'>[] = [];
  for (let at = 0; at < block.length; at += 1) {
    const row = block[at] ?? '';
    if (row.trim() === '' || row.trimStart().startsWith('#')) continue;
    if (hasPrompts && !row.startsWith('$ ')) continue;
    const number = firstNumber + at;
    let text = row.replace(/^\$ /, '');
    while (isUnfinished(text)) {
      at += 1;
      if (at >= block.length) throw new Error(`line ${number}: the command does not end: ${text}`);
      text += `\n${(block[at] ?? '').replace(/^> /, '')}`;
    }
    found.push({ number, text });
  }
  return found;
}

function isUnfinished(text: string): boolean {
  if (text.endsWith('\\')) return true;
  const [, , end] = /<<-?\s*(['"]?)(\w+)\1/.exec(text) ?? [];
  if (end !== undefined) return !text.split('\n').slice(1).includes(end);
  // Bash itself knows best whether quotes and loops are closed.
  const { status, stderr } = spawnSync('bash', ['-n', '-c', text], { encoding: 'utf8' });
  return status !== 0 && /unexpected (EOF|end of file)/.test(stderr);
}
