import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFirmware } from '../src/targets/libvirt/index.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'h2k-firmware-'));
  for (const folder of ['etc', 'share']) await mkdir(path.join(root, folder));
});
afterEach(() => rm(root, { recursive: true }));

async function describe(name: string, files: string, features: string[], format = 'raw', machine = 'pc-q35-*') {
  for (const kind of ['code', 'vars']) await writeFile(path.join(root, `${files}.${kind}`), '');
  const file = (kind: string) => ({ filename: path.join(root, `${files}.${kind}`), format });
  const descriptor = {
    'interface-types': ['uefi'],
    mapping: { device: 'flash', executable: file('code'), 'nvram-template': file('vars') },
    targets: [{ architecture: 'x86_64', machines: [machine] }],
    features,
    tags: [],
  };
  await writeFile(path.join(root, name), JSON.stringify(descriptor));
}

const find = (secure_boot: boolean) =>
  findFirmware(
    { firmware: 'efi', secure_boot },
    ['etc', 'share'].map((name) => path.join(root, name)),
  );
const pair = (files: string) => ({
  code: path.join(root, `${files}.code`),
  vars_template: path.join(root, `${files}.vars`),
});

test('code and NVRAM template are the pair that a descriptor of the host names', async () => {
  await describe('share/30-enrolled.json', 'enrolled', ['secure-boot', 'requires-smm', 'enrolled-keys']);
  await describe('share/40-secure.json', 'secure', ['secure-boot', 'requires-smm']);
  await describe('share/50-arm.json', 'arm', [], 'raw', 'virt-*');
  await describe('share/55-snp.json', 'snp', ['amd-sev-snp']);
  await describe('share/60-plain.json', 'plain', [], 'qcow2');
  await describe('share/70-other.json', 'other', []);
  await writeFile(path.join(root, 'share/10-broken.json'), '{');
  expect(await find(true)).toMatchObject({ ...pair('enrolled'), secure_boot: true, format: 'raw' });
  expect(await find(false)).toMatchObject({ ...pair('plain'), secure_boot: false, format: 'qcow2' });
  // An empty file of the administrator hides the distribution's.
  await writeFile(path.join(root, 'etc/60-plain.json'), '');
  expect(await find(false)).toMatchObject({ ...pair('other'), format: 'raw' });
});

test('a descriptor whose files are gone is passed over', async () => {
  await describe('share/60-plain.json', 'plain', []);
  await rm(path.join(root, 'plain.vars'));
  await describe('share/70-other.json', 'other', []);
  expect(await find(false)).toMatchObject(pair('other'));
});

test('a BIOS guest needs none', async () => {
  expect(await findFirmware({ firmware: 'bios', secure_boot: false }, [])).toEqual({ kind: 'bios' });
});
