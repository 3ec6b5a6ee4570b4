/** Runs the commands of pages by a real shell, as they stand there, against real services. */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HYPERCTL } from '../../integration/cli-standin.js';
import { freePort } from '../../support/ports.js';
import { ENDLESS, OUTCOMES } from './elsewhere.js';
import { copyFiles, makeBin, makeFiles, makeSettings } from './folder.js';
import { arrange, prepare } from './given.js';
import { ROOT } from './lines.js';
import { toRun, type Line } from './todo.js';
import { openWorld, type World } from './world.js';

const COMMAND_MS = 120_000;

/** Tests for all commands of these pages. */
export function testCommands(pages: readonly string[]): void {
  let world: World;
  let bin: string;
  beforeAll(async () => {
    world = await openWorld();
    await prepare(world);
    bin = await makeBin(world.folder);
    await makeFiles(path.join(world.folder, 'files'), world);
    await makeSettings(world.folder);
  });
  afterAll(() => world?.stop());

  describe.each(pages.map((page) => [page, toRun(page)] as const).filter(([, lines]) => lines.length > 0))(
    '%s',
    (page, lines) => {
      let folder: string;
      beforeAll(async () => {
        folder = path.join(world.folder, page.replaceAll(/\W/g, '-'));
        await copyFiles(path.join(world.folder, 'files'), folder);
        writeFileSync(path.join(folder, '.exports'), '');
        mkdirSync(path.join(folder, '.config/fish/completions'), { recursive: true });
      });
      afterAll(async () => {
        if (lines.some(({ text }) => /hyperctl daemon\b/.test(text))) await local(world, 'stop');
      });

      it.each(lines.map((line) => [`${line.number}: ${line.text}`, line] as const))('%s', async (_, { text }) => {
        await arrange(world, text);
        await settings(world, folder, text);
        if (/hyperctl daemon (status|logs|restart|stop)\b/.test(text)) await local(world, 'start');
        const { exitCode, all } = await execa(
          'bash',
          ['-o', 'pipefail', '-c', `. ${folder}/.exports\n${typed(text)}`],
          {
            // Scripts of the project are called from its root, and look at what set-up has put in the real home.
            cwd: isScript(text) ? ROOT : folder,
            env: await environment(world, bin, folder, text),
            extendEnv: false,
            stdin: 'ignore',
            all: true,
            reject: false,
            timeout: COMMAND_MS,
          },
        );
        expect(isEndless(text) ? [0, 130] : [outcomeOf(text)], all).toContain(exitCode);
        // Of a stack trace.
        expect(all).not.toMatch(/^\s+at .*\.js:\d+/m);
        if (/^export \w+=/.test(text)) appendFileSync(path.join(folder, '.exports'), `${text}\n`);
      });
    },
  );
}

const isScript = (text: string): boolean => /^(npm|node) /.test(text);
const isEndless = (text: string): boolean => ENDLESS.some((command) => command.test(text));
const outcomeOf = (text: string): number => OUTCOMES.find(({ command }) => command.test(text))?.exit ?? 0;

/** On a terminal, with Ctrl-C after a while, what does not end by itself. */
function typed(text: Line['text']): string {
  if (!isEndless(text)) return text;
  return `(sleep 4; printf '\\003') | script --quiet --return --flush --command ${quoted(text)} /dev/null`;
}
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The services of `hyperctl daemon`, beside those that all other commands speak to. */
async function local({ folder }: World, what: 'start' | 'stop'): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '', HYPER2KVM_HOME: path.join(folder, 'stack') };
  await execa(process.execPath, [HYPERCTL, 'daemon', what, '--all'], { env, extendEnv: false, reject: false });
}

/** Contexts that commands about the configuration speak of; other commands find no configuration. */
async function settings(world: World, folder: string, text: string): Promise<void> {
  const file = path.join(folder, '.config/hyper2kvm/config.yaml');
  rmSync(file, { force: true });
  if (!/hyperctl config\b/.test(text)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, await readFile(path.join(world.folder, 'settings.yaml')), { mode: 0o600 });
}

async function environment(world: World, bin: string, folder: string, text: string): Promise<Record<string, string>> {
  const { url, vcenter } = world;
  const isLocal = /hyperctl daemon\b/.test(text);
  return {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: isScript(text) ? homedir() : folder,
    USER: 'ann',
    TERM: 'xterm',
    HYPER2KVM_HOME: path.join(world.folder, 'stack'),
    ...(isLocal ? {} : { HYPER2KVM_URL: url }),
    VSPHERE_SERVER: vcenter.server,
    VSPHERE_USERNAME: vcenter.username,
    VSPHERE_PASSWORD: vcenter.password,
    VSPHERE_CA_FILE: vcenter.caFile,
    DOCS_VCENTER: vcenter.server,
    DOCS_PASSWORD: vcenter.password,
    DOCS_URL: url,
    DOCS_PORT: String(await freePort()),
  };
}
