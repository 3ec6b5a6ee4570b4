// The package as users get it: packed, installed without network into an empty folder, run where nothing of this checkout is.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATH = process.env['PATH'] ?? '';

let folder: string;
let installed: string;
let started: Promise<Stack> | undefined;
let stack: Stack;
let gateway: Gateway;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-pack-'));
  // Other users run it here, too.
  await chmod(folder, 0o755);
  started = startStack();
  // Told where it is waited for; until then something else may fail.
  started.catch(() => {});
  // With a umask as careful administrators have it: what is packed is for everybody all the same.
  const pack = [
    '-c',
    'umask 077 && exec "$0" "$@"',
    process.execPath,
    'scripts/pack.mjs',
    '--no-build',
    '--out',
    folder,
  ];
  await execa('sh', pack, { cwd: ROOT });
  const { version } = JSON.parse(await readFile(path.join(folder, 'package/package.json'), 'utf8')) as {
    version: string;
  };
  const prefix = path.join(folder, 'prefix');
  await mkdir(path.join(folder, 'home'));
  await execa('npm', ['install', '--global', '--offline', '--prefix', prefix, `../hyperctl-${version}.tgz`], {
    cwd: path.join(folder, 'home'),
    extendEnv: false,
    env: { PATH, HOME: path.join(folder, 'home') },
  });
  await rm(path.join(folder, 'package'), { recursive: true });
  installed = path.join(prefix, 'lib/node_modules/hyperctl');
  stack = await started;
  gateway = await stack.gateway();
});
afterAll(async () => {
  await started?.then(
    (one) => one.stop(),
    () => {},
  );
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  readonly exitCode?: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** As a user runs it, with an empty HOME. */
const hyperctl = (
  args: readonly string[],
  env: Record<string, string> = {},
  before: readonly string[] = [],
): Promise<Ran> => {
  const [file = '', ...rest] = [...before, path.join(folder, 'prefix/bin/hyperctl'), ...args];
  return execa(file, rest, {
    cwd: '/',
    reject: false,
    extendEnv: false,
    env: { PATH, HOME: path.join(folder, 'home'), ...env },
  });
};

describe('the packed hyperctl', () => {
  it('runs: version, help, jobs of a real gateway', async () => {
    const said = { exitCode: 0, stderr: '' };
    const version = await hyperctl(['--version']);
    expect(version).toMatchObject(said);
    expect(version.stdout).toMatch(/^hyperctl\/\d+\.\d+\.\d+\S* linux-\w+ node-v\d+/);
    const help = await hyperctl(['--help']);
    expect(help).toMatchObject(said);
    expect(help.stdout).toMatch(/convert +Move VMs to KVM/);
    expect(await hyperctl(['list', '--url', gateway.url])).toMatchObject({ ...said, stdout: 'No jobs.' });
    const json = await hyperctl(['workers', '--json'], { HYPER2KVM_URL: gateway.url });
    expect(JSON.parse(json.stdout)).toHaveProperty('workers');
  });

  it('has all commands of the checkout, each of which loads, and no dependency', async () => {
    const manifest = JSON.parse(await readFile(path.join(installed, 'oclif.manifest.json'), 'utf8')) as {
      commands: Record<string, { relativePath: string[] }>;
    };
    const built = (await readdir(path.join(ROOT, 'cli/dist/commands'), { recursive: true })).filter((file) =>
      file.endsWith('.js'),
    );
    const files = Object.values(manifest.commands).map(({ relativePath }) => relativePath.slice(2).join('/'));
    expect(files.toSorted()).toEqual(built.toSorted());
    const load = files.map((file) => `await import(${JSON.stringify(path.join(installed, 'dist/commands', file))});`);
    await execa(process.execPath, ['--input-type=module', '-e', load.join('\n')], { cwd: '/' });
    const own = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(own['dependencies']).toBeUndefined();
    expect(await readdir(installed)).not.toContain('node_modules');
  });

  it('says where the services are when it is to start them', async () => {
    const ran = await hyperctl(['daemon', 'start', '--all', '--local'], { HYPER2KVM_HOME: path.join(folder, 'stack') });
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ran.stderr).toMatch(/^Error: the services are not installed beside this hyperctl/);
  });

  it.each(['production', 'development', 'test'])('does not care for NODE_ENV=%s', async (mode) => {
    const ran = await hyperctl(['list', '--url', gateway.url], { NODE_ENV: mode });
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'No jobs.', stderr: '' });
  });

  it.skipIf(process.getuid?.() !== 0)('runs for a user without name and home, who may write nowhere', async () => {
    const nobody = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups', 'env', '-u', 'HOME'];
    const ran = await hyperctl(['list', '--url', gateway.url], {}, nobody);
    expect(ran).toMatchObject({ exitCode: 0, stdout: 'No jobs.', stderr: '' });
  });

  it('brings a man page without fault, completions, and the licences of what is within', async () => {
    const page = path.join(folder, 'prefix/share/man/man1/hyperctl.1');
    const text = await readFile(page, 'utf8');
    for (const word of ['hyperctl convert', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'HYPER2KVM_TOKEN'])
      expect(text).toMatch(new RegExp(word.replaceAll(' ', '\\s')));
    const groff = await execa('groff', ['-ww', '-man', '-Tutf8', page], { reject: false, stdout: 'ignore' });
    if (groff.code !== 'ENOENT') expect(groff).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await readdir(path.join(installed, 'completions'))).toSorted()).toEqual([
      '_hyperctl',
      'hyperctl.bash',
      'hyperctl.fish',
    ]);
    expect(await readFile(path.join(installed, 'THIRD-PARTY-LICENSES'), 'utf8')).toMatch(/\nundici \d.*\(MIT\)\n/);
  });
});
