/**
 * Every command of the docs is run by a real shell, as it stands there, against real services. What cannot be run is in
 * elsewhere.ts, with what runs it.
 */
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HYPERCTL } from '../../integration/cli-standin.js';
import { freePort } from '../../support/ports.js';
import { ELSEWHERE, ENDLESS, OUTCOMES, type Elsewhere } from './elsewhere.js';
import { copyFiles, makeBin, makeFiles, makeSettings } from './folder.js';
import { arrange, prepare } from './given.js';
import { linesOf, pages, ROOT, type Line } from './lines.js';
import { openWorld, type World } from './world.js';

/** The examples of the first design document, word for word, and the docs. */
const DESIGN = 'test/support/design/commands.md';
const LINES = [DESIGN, ...pages()].flatMap(linesOf);
const fits = ({ command }: { command: string | RegExp }, { text }: Line): boolean =>
  typeof command === 'string' ? command === text : command.test(text);
const elsewhere = (line: Line): Elsewhere | undefined => ELSEWHERE.find((one) => fits(one, line));
const RUN = LINES.filter((line) => elsewhere(line) === undefined);

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

/** The services of `hyperctl daemon`, beside those that all other commands speak to. */
async function local(what: 'start' | 'stop'): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '', HYPER2KVM_HOME: path.join(world.folder, 'stack') };
  await execa(process.execPath, [HYPERCTL, 'daemon', what, '--all'], { env, extendEnv: false, reject: false });
}

describe.each([...new Set(RUN.map(({ page }) => page))])('%s', (page) => {
  let folder: string;
  let exports: string;
  beforeAll(async () => {
    folder = path.join(world.folder, page.replaceAll(/\W/g, '-'));
    await copyFiles(path.join(world.folder, 'files'), folder);
    exports = path.join(folder, '.exports');
    writeFileSync(exports, '');
    mkdirSync(path.join(folder, '.config/fish/completions'), { recursive: true });
  });
  afterAll(async () => {
    if (RUN.some((line) => line.page === page && /hyperctl daemon\b/.test(line.text))) await local('stop');
  });

  it.each(RUN.filter((line) => line.page === page).map((line) => [`${line.number}: ${line.text}`, line] as const))(
    '%s',
    async (_, { text }) => {
      await arrange(world, text);
      await settings(folder, text);
      if (/hyperctl daemon (status|logs|restart|stop)\b/.test(text)) await local('start');
      const { exitCode, all } = await execa('bash', ['-o', 'pipefail', '-c', `. ./.exports\n${typed(text)}`], {
        cwd: folder,
        env: await environment(folder, text),
        extendEnv: false,
        stdin: 'ignore',
        all: true,
        reject: false,
        timeout: 120_000,
      });
      const outcome = OUTCOMES.find(({ command }) => command.test(text));
      expect(exitCode, all).toBe(outcome?.exit ?? 0);
      expect(all).not.toMatch(/^\s+at .*\.js:\d+/m);
      if (/^export \w+=/.test(text)) appendFileSync(exports, `${text}\n`);
    },
  );
});

/** On a terminal, with Ctrl-C after a while, what does not end by itself. */
function typed(text: string): string {
  if (!ENDLESS.some((command) => command.test(text))) return text;
  return `(sleep 4; printf '\\003') | script --quiet --return --flush --command ${quoted(text)} /dev/null`;
}
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Contexts that commands about the configuration speak of; other commands find no configuration. */
async function settings(folder: string, text: string): Promise<void> {
  const file = path.join(folder, '.config/hyper2kvm/config.yaml');
  rmSync(file, { force: true });
  if (!/hyperctl config\b/.test(text)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, await readFile(path.join(world.folder, 'settings.yaml')), { mode: 0o600 });
}

async function environment(folder: string, text: string): Promise<Record<string, string>> {
  const { url, vcenter } = world;
  const isLocal = /hyperctl daemon\b/.test(text);
  return {
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    HYPER2KVM_HOME: path.join(world.folder, 'stack'),
    ...(isLocal ? {} : { HYPER2KVM_URL: url }),
    USER: 'ann',
    TERM: 'xterm',
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

describe('what is run elsewhere', () => {
  it.each(ELSEWHERE)('$command: $runBy', (entry) => {
    expect(LINES.some((line) => fits(entry, line))).toBe(true);
    expect(existsSync(path.join(ROOT, entry.runBy))).toBe(true);
  });
  it.each(OUTCOMES)('$command ends with $exit: $why', (entry) => {
    expect(RUN.some((line) => fits(entry, line))).toBe(true);
  });
});
