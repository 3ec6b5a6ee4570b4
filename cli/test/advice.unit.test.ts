// Each command that a text of the product names exists, with its flags: advice that cannot be followed is worse than none.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config, type Command } from '@oclif/core';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '@hyper2kvm/contracts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['cli/src', 'libs/contracts/src', 'libs/runtime/src', ...services()];
const config = await Config.load({ root: path.join(ROOT, 'cli') });
const known = new Map(config.commands.map((command) => [command.id.replaceAll(':', ' '), command]));
const topics = new Set(config.topics.map(({ name }) => name.replaceAll(':', ' ')));

/** What hyperctl does or is, in a sentence of which it is the subject. */
const VERBS = /^(?:and|does|is|it|itself|knows|lies|moves|needs|of|runs|says|starts|takes|that|was|will)\b/;

function services(): string[] {
  return readdirSync(path.join(ROOT, 'services')).map((name) => `services/${name}/src`);
}

/** Names of spans: what hyperctl does in a trace. */
const SPANS = new Set(['hyperctl follow']);

/** All texts of a file, comments left out; what is put into a template is `VALUE`. */
function textsOf(file: string): string[] {
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    if (ts.isTemplateExpression(node))
      found.push(node.head.text + node.templateSpans.map(({ literal }) => `VALUE${literal.text}`).join(''));
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return found;
}

const flagsOf = (text: string): string[] =>
  [...text.matchAll(/(?<![\w-])--([a-z][a-z-]*[a-z])/g)].map(([, name = '']) => name);

/** What is wrong with the commands of a text. */
function wrongIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w/.@-])hyperctl ([a-z][^,;:()"'`\n]*)/g)].flatMap(([whole, rest = '']) => {
    if (VERBS.test(rest) || SPANS.has(text)) return [];
    const words = rest.split(/\s+/).map((word) => word.replace(/[.…]+$/, ''));
    const id = [words.slice(0, 2).join(' '), words[0] ?? ''].find((name) => known.has(name) || topics.has(name));
    if (id === undefined) return [`no such command: ${whole}`];
    // `hyperctl daemon VALUE --all`: any of the topic's.
    const meant = [...known].filter(([name]) => name === id || (!known.has(id) && name.startsWith(`${id} `)));
    const flags = Object.assign({}, ...meant.map(([, command]) => command.flags)) as Command.Class['flags'];
    const names = new Set([
      'help',
      ...Object.entries(flags).flatMap(([name, flag]) => [
        name,
        ...('allowNo' in flag && flag.allowNo ? [`no-${name}`] : []),
      ]),
    ]);
    return flagsOf(rest)
      .filter((name) => !names.has(name))
      .map((name) => `${id} has no --${name}: ${whole}`);
  });
}

describe('commands in texts of', () => {
  it.each(FOLDERS)('%s exist with their flags', (folder) => {
    const files = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(ROOT, folder, file));
    const wrong = files.flatMap((file) =>
      textsOf(file)
        .flatMap(wrongIn)
        .map((one) => `${path.relative(ROOT, file)}: ${one}`),
    );
    expect(wrong).toEqual([]);
  });

  it('are found where there are any', () => {
    expect(wrongIn('see hyperctl jobs list, or hyperctl status --jobs X')).toEqual([
      'no such command: hyperctl jobs list',
      'status has no --jobs: hyperctl status --jobs X',
    ]);
    expect(wrongIn('hyperctl list shows them; hyperctl convert --no-fix-grub. hyperctl moves VMs')).toEqual([]);
    expect(textsOf(path.join(ROOT, 'libs/contracts/src/errors.ts')).join('\n')).toContain('hyperctl logs --job <id>');
  });
});

it('flags that the advice of an error names are those of a command', () => {
  const all = new Set([...known.values()].flatMap(({ flags }) => ['help', ...Object.keys(flags)]));
  const named = Object.values(ERRORS).flatMap(({ advice }) => flagsOf(advice));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !all.has(name))).toEqual([]);
});
