// Run from a checkout, hyperctl keeps what commands there are, and a build is seen at once.
import { cp, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
const at = (...parts: string[]): string => path.join(folder, ...parts);

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-checkout-'));
  await cp(path.join(ROOT, 'cli/bin'), at('cli/bin'), { recursive: true });
  const pjson = {
    name: 'a',
    version: '1.2.3',
    type: 'module',
    oclif: { bin: 'hyperctl', commands: './dist/commands' },
  };
  await writeFile(at('cli/package.json'), JSON.stringify(pjson));
  await symlink(path.join(ROOT, 'node_modules'), at('node_modules'));
  for (const project of ['cli', 'libs/contracts', 'libs/runtime']) {
    await mkdir(at(project, 'dist'), { recursive: true });
    await writeFile(at(project, 'dist/.tsbuildinfo'), '{}');
  }
  await mkdir(at('cli/dist/commands'));
});
afterEach(() => rm(folder, { recursive: true }));

let built = 0;
/** Builds a command; each build is at another time, whatever the file system's clock. */
async function build(name: string, summary: string): Promise<void> {
  const code = `import { Command } from '@oclif/core';
    export default class It extends Command { static summary = '${summary}'; async run() { await this.parse(It); this.log('${name} ran'); } }`;
  const file = at('cli/dist/commands', `${name}.js`);
  await writeFile(file, code);
  built += 1;
  await utimes(file, built, built);
}

const hyperctl = async (...args: string[]): Promise<string> => {
  const { all } = await execa(process.execPath, [at('cli/bin/run.js'), ...args], { all: true, reject: false });
  return all;
};

it('shows new, changed and removed commands at once, and keeps what did not change', async () => {
  await build('one', 'First words.');
  expect(await hyperctl('--help')).toMatch(/one +First words\./);
  const kept = at('cli/dist/.commands.json');
  // What was kept is used: another word in it is shown.
  await execa('sed', ['-i', 's/First words/Kept words/', kept]);
  expect(await hyperctl('--help')).toMatch(/one +Kept words\./);
  expect(await hyperctl('one')).toBe('one ran');

  await build('two', 'New.');
  expect(await hyperctl('--help')).toMatch(/one +First words\.[^]*two +New\./);
  expect(await hyperctl('two')).toBe('two ran');
  await build('one', 'Other words.');
  expect(await hyperctl('--help')).toMatch(/one +Other words\./);
  await rm(at('cli/dist/commands/two.js'));
  expect(await hyperctl('--help')).not.toMatch(/two/);
  // Flags may come from elsewhere: any build counts.
  await execa('sed', ['-i', 's/Other words/Kept words/', kept]);
  await utimes(at('libs/contracts/dist/.tsbuildinfo'), 1, 1);
  expect(await hyperctl('--help')).toMatch(/one +Other words\./);
});

it('runs what can be loaded where a command cannot, and says which one cannot', async () => {
  await build('one', 'First words.');
  await writeFile(at('cli/dist/commands/broken.js'), 'import "./nowhere.js";');
  const said = await hyperctl('one');
  expect(said).toContain('one ran');
  expect(said).toContain('broken');
  expect(await readdir(at('cli/dist'))).not.toContain('.commands.json');
});
