// Each command says what it does, shows how, and explains each of its flags, in 80 columns.
import { fileURLToPath } from 'node:url';
import { Config, type Command } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import Help from '../src/help.js';
import { COMMAND_GROUPS } from '../src/help/groups.js';
import { commandLines, wrap } from '../src/help/layout.js';

const config = await Config.load({ root: fileURLToPath(new URL('..', import.meta.url)) });
const commands = config.commands.filter(({ hidden }) => !hidden);

class Printed extends Help {
  readonly lines: string[] = [];
  protected override log(...args: string[]): void {
    this.lines.push(...args.join(' ').split('\n'));
  }
}

async function shown(...words: string[]): Promise<string[]> {
  const help = new Printed(config, { maxWidth: 80, stripAnsi: true });
  await help.showHelp(words);
  // oxlint-disable-next-line no-control-regex -- headings are bold on a terminal that has colours
  return help.lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
}

describe.each(commands.map((command): [string, Command.Loadable] => [command.id.replaceAll(':', ' '), command]))(
  'hyperctl %s',
  (id, command) => {
    it('has a summary of one line, a description and an example', () => {
      expect(command.summary).toMatch(/^(?:[A-Z]|vCenter)[^\n]*\.$/);
      expect(command.description ?? '').toMatch(/\S/);
      expect(command.examples?.length ?? 0).toBeGreaterThan(0);
    });

    it('describes each flag and argument', () => {
      const things = Object.entries({ ...command.flags, ...command.args });
      expect(
        things.filter(([, { description }]) => !/^\S.*\.$/s.test(description ?? '')).map(([name]) => name),
      ).toEqual([]);
    });

    it('is told in 80 columns, the flags of every command last', async () => {
      const lines = await shown(...id.split(' '));
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      const groups = lines.filter((line) => /^([A-Z]+ )?FLAGS$/.test(line));
      if (groups.length === 0) return;
      expect(groups.at(-1)).toBe('OUTPUT FLAGS');
      expect(lines.indexOf('EXAMPLES')).toBeLessThan(lines.indexOf(groups[0] ?? ''));
    });
  },
);

it('of all lists each command under a heading of its kind, in 80 columns', async () => {
  const lines = await shown();
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines).not.toContain('MORE');
  const first = new Set(commands.map(({ id }) => id.split(':')[0] ?? ''));
  for (const name of first)
    expect(
      lines.filter((line) => line.startsWith(`  ${name} `)),
      name,
    ).toHaveLength(1);
  const headings = lines.filter((line) => /^[A-Z ]+$/.test(line));
  expect(headings.slice(0, 3)).toEqual(['USAGE', 'EXAMPLES', COMMAND_GROUPS[0]?.[0]]);
  expect(headings.slice(-2)).toEqual(['EXIT CODES', 'DOCUMENTATION']);
});

it('a topic says what it is and what is beneath it', async () => {
  const lines = await shown('daemon');
  expect(lines[0]).toMatch(/^The services on this machine/);
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}daemon start +\S/));
});

it('breaks texts between words and commands before flags', () => {
  expect(wrap('one two\nthree\n- a\nExit codes: 0', 9)).toEqual(['one two', 'three', '- a', 'Exit', 'codes: 0']);
  expect(commandLines('$ hyperctl convert --vm "a b" --vcenter vc', 30)).toEqual([
    '$ hyperctl convert \\',
    '    --vm "a b" --vcenter vc',
  ]);
});
