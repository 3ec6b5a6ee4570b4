import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAgent, findDrivers, openVirtioWin, stageDrivers } from '../src/engines/virt-v2v/drivers/index.js';
import { chooseDrivers, windowsDevices, type WindowsPlan } from '../src/engines/virt-v2v/windows/plan.js';
import { searchedFolders, virtioFolders } from '../src/engines/virt-v2v/windows/release.js';
import { isHibernated } from '../src/engines/virt-v2v/windows/signatures.js';

const server2022 = { build: 20_348, server: true, arch: 'x86_64' };

describe('folders of virtio-win', () => {
  it.each([
    ['Windows Server 2025', 26_100, true, '2k25'],
    ['Windows Server 2022', 20_348, true, '2k22'],
    ['Windows Server 2019', 17_763, true, '2k19'],
    ['Windows Server 2016', 14_393, true, '2k16'],
    ['Windows Server 2012 R2', 9600, true, '2k12R2'],
    ['Windows Server 2012', 9200, true, '2k12'],
    ['Windows Server 2008 R2', 7601, true, '2k8R2'],
    ['Windows Server 2008', 6003, true, '2k8'],
    ['Windows Server 2003', 3790, true, '2k3'],
    ['Windows 11', 22_631, false, 'w11'],
    ['Windows 10', 19_045, false, 'w10'],
    ['Windows 8.1', 9600, false, 'w8.1'],
    ['Windows 7', 7601, false, 'w7'],
    ['Windows XP', 2600, false, 'xp'],
  ])('%s', (_name, build, server, folder) => {
    expect(virtioFolders({ build, server, arch: 'x86_64' })[0]).toBe(folder);
  });

  it('of older releases serve where the own is missing, since Windows 10', () => {
    expect(virtioFolders(server2022)).toEqual(['2k22', '2k19', '2k16']);
    expect(virtioFolders({ build: 9600, server: true, arch: 'x86_64' })).toEqual(['2k12R2']);
    expect(virtioFolders({ build: 2195, server: true, arch: 'i386' })).toEqual([]);
  });
});

const driver = (folder: string, release: string, arch: string, name = folder.toLowerCase()): string[] =>
  ['inf', 'sys', 'cat', 'pdb'].map((extension) => `${folder}/${release}/${arch}/${name}.${extension}`);

const plan = (names: string[]): WindowsPlan => ({
  release: server2022,
  drivers: { names, files: new Map(), release: '2k22' },
  agent: undefined,
  vmwareTools: false,
  concerns: [],
});

describe('drivers', () => {
  it('are those of the release and the processor, without symbols', () => {
    const files = ['2k22', '2k19', 'w10'].flatMap((release) => [
      ...driver('viostor', release, 'amd64'),
      ...driver('viostor', release, 'x86'),
      ...driver('NetKVM', release, 'amd64'),
    ]);
    const { names, files: found, release } = findDrivers(files, server2022);
    expect(names).toEqual(['netkvm', 'viostor']);
    expect(release).toBe('2k22');
    expect([...found.values()].toSorted()).toEqual(
      ['NetKVM/2k22/amd64/netkvm', 'viostor/2k22/amd64/viostor'].flatMap((each) =>
        ['cat', 'inf', 'sys'].map((extension) => `${each}.${extension}`),
      ),
    );
  });

  it('come each from the best folder that has it', () => {
    const files = [...driver('viostor', '2k16', 'amd64'), ...driver('NetKVM', '2k22', 'amd64')];
    const { files: found, release } = findDrivers(files, server2022);
    expect([found.get('viostor.sys'), found.get('netkvm.sys'), release]).toEqual([
      'viostor/2k16/amd64/viostor.sys',
      'NetKVM/2k22/amd64/netkvm.sys',
      '2k16',
    ]);
  });

  it.each([
    ['drivers/amd64/Win2k22/viostor.sys', server2022],
    ['drivers/by-os/amd64/win2022/viostor.sys', server2022],
    ['drivers/amd64/Win2012R2/viostor.sys', { build: 9600, server: true, arch: 'x86_64' }],
    ['drivers/i386/Win10/viostor.sys', { build: 19_045, server: false, arch: 'i386' }],
    ['drivers/amd64/Win2008/viostor.sys', { build: 6003, server: true, arch: 'x86_64' }],
  ])('are found in the layout of the RPM: %s', (file, release) => {
    const inf = file.replace('.sys', '.inf');
    expect(findDrivers([file, inf], release).files.get('viostor.sys')).toBe(file);
  });

  it('of another release, client or processor are not taken', () => {
    const files = [
      ...driver('viostor', 'w10', 'amd64'),
      ...driver('viostor', '2k12R2', 'amd64'),
      ...driver('viostor', '2k22', 'x86'),
    ];
    expect(findDrivers(files, server2022).files.size).toBe(0);
    expect(() => chooseDrivers(files, server2022, 'Windows Server 2022 Standard', '/srv/virtio-win.iso')).toThrow(
      expect.objectContaining({
        code: 'DRIVERS_MISSING',
        message: expect.stringContaining('looked for viostor/2k22, viostor/2k19, viostor/2k16, x86_64'),
      }),
    );
  });

  it('without an .inf or a .sys are none', () => {
    const files = driver('viostor', '2k22', 'amd64').filter((file) => !file.endsWith('.sys'));
    expect(() => chooseDrivers(files, server2022, 'Windows', '/srv/virtio-win')).toThrow('viostor');
  });

  it('decide on the devices of the VM', () => {
    expect(windowsDevices(plan(['viostor', 'netkvm']), [])).toBeUndefined();
    expect(windowsDevices(plan(['viostor']), [])).toEqual({ nic_model: 'e1000e' });
    expect(
      windowsDevices(plan(['viostor', 'netkvm']), [
        'there are no virtio drivers available for this version of Windows (10.0 x86_64 Server win2k22).',
      ]),
    ).toEqual({ disk_bus: 'sata', nic_model: 'e1000e' });
    expect(
      windowsDevices(plan(['viostor', 'netkvm']), [
        'there is no virtio block device driver for this version of Windows',
      ]),
    ).toEqual({ disk_bus: 'sata' });
  });
});

describe('signatures', () => {
  it.each([
    ['HIBR', true],
    ['hibr', true],
    ['RSTR', true],
    ['WAKE', false],
    ['wake', false],
    ['\0\0\0\0', false],
    ['', false],
  ])('of hiberfil.sys: %j', (text, hibernated) => {
    expect(isHibernated(text)).toBe(hibernated);
  });
});

describe('virtio-win', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-virtio-win-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const FILES: Record<string, string> = {
    'viostor/2k22/amd64/viostor.inf': 'inf',
    'viostor/2k22/amd64/viostor.sys': 'x'.repeat(5000),
    'viostor/2k22/amd64/a driver with a long name.cat': 'catalogue',
    'viostor/2k22/amd64/empty.cat': '',
    'guest-agent/qemu-ga-x86_64.msi': 'agent',
  };

  async function folderOf(files: Record<string, string>): Promise<string> {
    const folder = path.join(root, 'content');
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), content);
    }
    return folder;
  }

  it.each(['folder', 'ISO with Joliet names', 'ISO with plain names'])('is read as %s', async (kind) => {
    let place = await folderOf(FILES);
    if (kind !== 'folder') {
      const names = kind.endsWith('Joliet names') ? ['-J', '-r'] : ['-iso-level', '4'];
      const iso = path.join(root, 'virtio-win.iso');
      execFileSync('xorrisofs', ['-quiet', ...names, '-o', iso, place], { stdio: ['ignore', 'ignore', 'pipe'] });
      place = iso;
    }
    const virtioWin = await openVirtioWin(place);
    try {
      // Plain names are upper case, without most signs.
      const named = (file: string): string =>
        kind.endsWith('plain names') ? file.toUpperCase().replaceAll(/[^A-Z0-9./]/g, '_') : file;
      expect(virtioWin.files.toSorted()).toEqual(Object.keys(FILES).map(named).toSorted());
      expect(findAgent(virtioWin.files, 'x86_64')).toBe(named('guest-agent/qemu-ga-x86_64.msi'));
      for (const [name, content] of Object.entries(FILES)) {
        const copy = path.join(root, 'copy');
        await virtioWin.copy(named(name), copy);
        expect(await readFile(copy, 'utf8')).toBe(content);
      }
    } finally {
      await virtioWin.close();
    }
  });

  it('that holds thousands of files in one folder is read to its end', async () => {
    const files = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`all/file number ${index}.inf`, '']));
    const iso = path.join(root, 'virtio-win.iso');
    execFileSync('xorrisofs', ['-quiet', '-J', '-o', iso, await folderOf(files)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const virtioWin = await openVirtioWin(iso);
    await virtioWin.close();
    expect(virtioWin.files.toSorted()).toEqual(Object.keys(files).toSorted());
  });

  it('is missing, or no ISO: the error says which', async () => {
    await expect(openVirtioWin(undefined)).rejects.toMatchObject({
      code: 'DRIVERS_MISSING',
      message: expect.stringContaining('converter.virtio_win is not set'),
    });
    const nowhere = path.join(root, 'nowhere.iso');
    await expect(openVirtioWin(nowhere)).rejects.toMatchObject({
      code: 'DRIVERS_MISSING',
      message: expect.stringContaining(`${nowhere} is not there`),
    });
    for (const content of [Buffer.alloc(0), Buffer.alloc(100_000), Buffer.alloc(100_000, 'CD001')]) {
      await writeFile(nowhere, content);
      await expect(openVirtioWin(nowhere)).rejects.toMatchObject({ code: 'DRIVERS_MISSING' });
    }
  });

  it('is handed on with the chosen drivers alone, under every name that virt-v2v may look for', async () => {
    const virtioWin = await openVirtioWin(await folderOf(FILES));
    const release = { build: 26_100, server: true, arch: 'x86_64' };
    const agent = findAgent(virtioWin.files, release.arch);
    const folder = path.join(root, 'staged');
    await stageDrivers(virtioWin, findDrivers(virtioWin.files, release), agent, release, folder);
    const staged = path.join(folder, 'virtio-win');
    expect((await readdir(staged)).toSorted()).toEqual(['2k16', '2k19', '2k22', '2k25', 'qemu-ga-x86_64.msi']);
    for (const name of searchedFolders(release)) {
      expect(await readFile(path.join(staged, name, 'amd64', 'viostor.inf'), 'utf8')).toBe('inf');
    }
    expect(searchedFolders({ build: 6002, server: false, arch: 'i386' })).toEqual(['vista']);
  });
});
