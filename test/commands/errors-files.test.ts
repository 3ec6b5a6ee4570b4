// Files that cannot be used, and output that cannot be written.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HYPERCTL } from '../integration/cli-standin.js';
import { expectOne, oneError } from './one-error.js';
import { hyperctl, siteEnv } from './site/index.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-errors-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const whole = path.join(folder, name);
  await mkdir(path.dirname(whole), { recursive: true });
  await writeFile(whole, content);
  return whole;
}

const batch = (name: string): Promise<string> => oneError(2, ['convert', '--batch', name, '--detach']);

describe('a batch file', () => {
  it('that is missing, a folder, empty, or no text', async () => {
    const missing = path.join(folder, 'none.txt');
    const empty = await file('empty.txt', '# nothing yet\n');
    const binary = await file('binary.txt', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 0xff, 0xfe]));
    expect(await batch(missing)).toMatch(`Error: --batch: ${missing} cannot be read: there is no such file\n  try:   `);
    expect(await batch(folder)).toMatch(`Error: --batch: ${folder} cannot be read: it is a directory\n  try:   `);
    expect(await batch(empty)).toMatch(`Error: ${empty} names no VM\n  try:   `);
    expect(await batch(binary)).toMatch(`Error: --batch: ${binary} is no text (UTF-8)\n  try:   `);
  });

  it('that this user may not read', async () => {
    const closed = await file('closed.txt', 'web-01\n');
    await chmod(closed, 0);
    // Root may read everything: nobody may not.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const ran = await hyperctl(['convert', '--batch', closed, '--detach'], {}, user);
    expectOne(ran, 2);
    expect(ran.stderr).toMatch(`${closed} cannot be read: this user has no permission\n  try:   ls -l`);
  });

  it('that is no YAML, or holds what no manifest has: file, line and column', async () => {
    const broken = await file('broken.yaml', 'vms:\n  - name: a\n   bad: [\n');
    expect(await batch(broken)).toMatch(new RegExp(`^Error: ${broken}:3:\\d+: not valid YAML: .*\\n  try:   `));
    const odd = await file('odd.yaml', 'parallel: 3\nvms:\n  - vm: web-01\n    options: { engin: native }\n');
    const said = await batch(odd);
    expect(said.split('\n')[0]).toBe(`Error: ${odd}:4:16: vms[0].options.engin: there is no such key`);
  });
});

it('a configuration that is no YAML, or has an unknown key: file, line and column', async () => {
  const env = { XDG_CONFIG_HOME: folder };
  const config = await file('hyper2kvm/config.yaml', 'vsphere:\n  server: x\n   username: [\n');
  expect(await oneError(2, ['list'], env)).toMatch(new RegExp(`^Error: ${config}:\\d+:\\d+: not valid YAML: `));
  await file('hyper2kvm/config.yaml', 'vsphere:\n  sever: x\n');
  expect(await oneError(2, ['list'], env)).toContain(
    `Error: ${config}:2:3: there is no key vsphere.sever; did you mean "vsphere.server"?\n`,
  );
  // Help is there all the same.
  expect(await hyperctl(['help', 'list'], env)).toMatchObject({ exitCode: 0, stderr: '' });
});

it('a password file that is not there, or that others may read', async () => {
  const open = await file('password', 'secret-of-the-file\n');
  await chmod(open, 0o644);
  expect(await oneError(2, ['vms', '--password-file', '/nonexistent/password'])).toContain(
    'Error: --password-file: /nonexistent/password cannot be read: there is no such file',
  );
  const said = await oneError(2, ['vms', '--password-file', open]);
  expect(said).toMatch(/others may read it\n {2}try: +chmod 600 /);
  expect(said).not.toContain('secret-of-the-file');
});

describe('output', () => {
  it('that nobody reads any more is no failure', async () => {
    const ran = await execa(
      'bash',
      [
        '-o',
        'pipefail',
        '-c',
        `"$0" "$1" vms --json | head -c 10; echo " \${PIPESTATUS[0]}"`,
        process.execPath,
        HYPERCTL,
      ],
      {
        reject: false,
        env: siteEnv(),
      },
    );
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(/ 0$/);
  });

  it('on a full disk fails with one sentence', async () => {
    for (const args of [['vms'], ['help'], ['list', '--json']]) {
      const { exitCode, stderr } = await execa(
        'bash',
        ['-c', '"$0" "$@" > /dev/full', process.execPath, HYPERCTL, ...args],
        {
          reject: false,
          stdin: 'ignore',
          extendEnv: false,
          env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...siteEnv() },
        },
      );
      expectOne({ exitCode: exitCode ?? 255, stdout: '', stderr }, 1);
      expect(stderr).toMatch(
        /^Error: standard output cannot be written\n {2}why: +no space is left.*\n[^]*code: +DISK_FULL/,
      );
    }
  });

  it('that is closed is no failure', async () => {
    const ran = await execa('bash', ['-c', '"$0" "$1" list >&-', process.execPath, HYPERCTL], {
      reject: false,
      env: siteEnv(),
    });
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('into a report file on a full disk says which file', async () => {
    const plan = await file('report.txt', 'errors-web-01\n');
    const { batch_id: id } = JSON.parse(
      (await hyperctl(['convert', '--batch', plan, '--json', '--detach'])).stdout,
    ) as { batch_id: string };
    const said = await oneError(1, ['batches', 'report', id, '--format', 'csv', '-o', '/dev/full']);
    expect(said).toMatch(/^Error: .*\/dev\/full[^]*no space/);
  });
});
