// Each example of a command's help, and each `hyperctl …` in the user guide, is a line that its command understands.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Parser, type Command } from '@oclif/core';
import { describe, expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../src/commands', import.meta.url));
const GUIDE = readFileSync(new URL('../../docs/user-guide.md', import.meta.url), 'utf8');

const commands = new Map<string, Command.Class & { baseFlags?: object }>();
for (const file of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))) {
  const id = file
    .replace(/\.ts$/, '')
    .split(path.sep)
    .filter((part) => part !== 'index')
    .join(' ');
  commands.set(id, ((await import(path.join(FOLDER, file))) as { default: Command.Class }).default);
}

/** Words of a line as a shell splits them. */
const words = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));

/** @throws as hyperctl would */
async function understand(line: string): Promise<void> {
  const [, ...argv] = words(line.split(' | ')[0] ?? '');
  const id = [argv.slice(0, 2).join(' '), argv[0] ?? ''].find((name) => commands.has(name));
  const command = id === undefined ? undefined : commands.get(id);
  if (id === undefined || command === undefined) throw new Error(`no such command: ${line}`);
  const { flags, args, baseFlags, strict } = command;
  await Parser.parse(argv.slice(id.split(' ').length), { flags: { ...baseFlags, ...flags }, args, strict });
}

describe('every example of', () => {
  it.each([...commands])('%s is understood', async (_id, command) => {
    const examples = (command.examples ?? []).map((one) =>
      (typeof one === 'string' ? one : one.command).replaceAll('<%= config.bin %>', 'hyperctl'),
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) await understand(example);
  });

  it('the user guide is understood', async () => {
    const blocks = [...GUIDE.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, text = '']) => text.split('\n'));
    const lines = blocks.filter((line) => line.startsWith('hyperctl ')).map((line) => line.replace(/\s+#.*$/, ''));
    expect(lines.length).toBeGreaterThan(15);
    for (const line of lines) await understand(line);
  });
});

it('a line that is none is not understood', async () => {
  await expect(understand('hyperctl convert --vm web --no-such-flag')).rejects.toThrow(/no-such-flag/);
  await expect(understand('hyperctl convert --engine other --vm web')).rejects.toThrow(/--engine=other/);
});
