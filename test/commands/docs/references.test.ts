/** The docs hold together: what is generated is up to date, links lead somewhere, and what is named in a text exists. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Config } from '@oclif/core';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { pages, ROOT } from './lines.js';

const read = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8');

it('the reference is up to date', async () => {
  const { stdout, exitCode } = await execa(process.execPath, ['scripts/docs.mjs', '--check'], {
    cwd: ROOT,
    reject: false,
  });
  expect(exitCode, stdout).toBe(0);
});

it('no link is dead: neither files nor headings', async () => {
  const files = [...pages(), 'ARCHITECTURE.md', 'CHANGELOG.md'];
  const args = ['--no-stdout', '--quiet', '--frail', '--use', 'validate-links=repository:false', ...files];
  const { stderr, exitCode } = await execa('node_modules/.bin/remark', args, { cwd: ROOT, reject: false });
  expect(exitCode, stderr).toBe(0);
});

it.each(pages())('%s: links to other places are whole', (page) => {
  const links = [...read(page).matchAll(/\]\((\w+:[^)\s]*)\)/g)].map(([, url]) => url ?? '');
  for (const url of links)
    expect(URL.canParse(url) && /^(https:\/\/[\w.-]+\.\w+\/?|mailto:)/.test(url), url).toBe(true);
});

describe('commands that a text names', () => {
  let config: Config;
  beforeAll(async () => {
    config = await Config.load({ root: path.join(ROOT, 'cli'), ignoreManifest: true });
  });

  it.each(pages())('%s', (page) => {
    const named = [...read(page).matchAll(/(?<!`)`((?:npx )?hyperctl [^`\n]+)`(?!`)/g)].map(([, text]) => text ?? '');
    for (const text of named) expect(problem(config, text), text).toBeUndefined();
  });
});

/** What is wrong with a command that stands within a sentence, where words may be left out; undefined when nothing is. */
function problem(config: Config, text: string): string | undefined {
  const words = text.replace(/^(npx )?hyperctl /, '').split(/\s+/);
  const first = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  let depth = first < 0 ? words.length : first;
  if (depth === 0) return /^(COMMAND|-|…)/.test(words[0] ?? '') ? undefined : 'no command';
  while (depth > 0 && config.findCommand(words.slice(0, depth).join(':')) === undefined) depth -= 1;
  const command = config.findCommand(words.slice(0, depth).join(':'));
  if (command === undefined)
    return config.findTopic(words[0] ?? '') === undefined ? `there is no command ${words.join(' ')}` : undefined;
  const flags = new Set(Object.values(command.flags).flatMap(({ name }) => [`--${name}`, `--no-${name}`]));
  const unknown = words.filter(
    (word) => /^--[a-z]/.test(word) && !flags.has(word.replace(/[=,].*$/, '')) && word !== '--help',
  );
  return unknown.length === 0 ? undefined : `it has no ${unknown.join(', ')}`;
}

// Every page is reached from the index.
it('the index names every page', () => {
  const index = read('docs/README.md');
  for (const page of pages().filter((name) => name.startsWith('docs/') && !/adr\/|README/.test(name)))
    expect(index, page).toContain(`(${page.slice('docs/'.length)})`);
});
