// Path = command = test: what has no test of its own is not a command that works, as far as anybody knows.
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const COMMANDS = fileURLToPath(new URL('../../cli/src/commands', import.meta.url));
const TESTS = fileURLToPath(new URL('.', import.meta.url));

it('each command has a test at its path', async () => {
  const commands = (await readdir(COMMANDS, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const tests = new Set(await readdir(TESTS, { recursive: true }));
  expect(commands.length).toBeGreaterThan(30);
  expect(commands.map((file) => file.replace(/\.ts$/, '.test.ts')).filter((file) => !tests.has(file))).toEqual([]);
});
