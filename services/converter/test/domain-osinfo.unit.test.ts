import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { osinfoId } from '../src/targets/libvirt/index.js';

const linux = (distro: string, major: number, minor = 0, product = distro) => ({
  type: 'linux',
  distro,
  product,
  version: { major, minor },
});
const windows = (product: string) => ({
  type: 'windows',
  distro: 'windows',
  product,
  version: { major: 10, minor: 0 },
});

/** No newer than the osinfo-db of Debian 12 (2022). */
const GUESTS = [
  [linux('debian', 11), 'http://debian.org/debian/11'],
  [linux('debian', 0), 'http://debian.org/debian/testing'],
  [linux('ubuntu', 22, 4), 'http://ubuntu.com/ubuntu/22.04'],
  [linux('ubuntu', 20, 10), 'http://ubuntu.com/ubuntu/20.10'],
  [linux('rhel', 9, 1), 'http://redhat.com/rhel/9.1'],
  [linux('redhat', 7, 9), 'http://redhat.com/rhel/7.9'],
  [linux('centos', 7, 9), 'http://centos.org/centos/7.0'],
  [linux('centos', 6, 10), 'http://centos.org/centos/6.10'],
  [linux('centos', 8, 5), 'http://centos.org/centos/8'],
  [linux('centos', 8, 0, 'CentOS Stream 8'), 'http://centos.org/centos-stream/8'],
  [linux('centos', 9), 'http://centos.org/centos-stream/9'],
  [linux('rocky', 9, 1), 'http://rockylinux.org/rocky/9'],
  [linux('almalinux', 8, 7), 'http://almalinux.org/almalinux/8'],
  [linux('oraclelinux', 8, 5), 'http://oracle.com/ol/8.5'],
  [linux('sles', 12, 5), 'http://suse.com/sles/12.5'],
  [linux('sles', 15, 4), 'http://suse.com/sle/15.4'],
  [linux('opensuse-leap', 15, 4), 'http://opensuse.org/opensuse/15.4'],
  [linux('opensuse-tumbleweed', 20221201, 0, 'openSUSE Tumbleweed'), 'http://opensuse.org/opensuse/tumbleweed'],
  [linux('fedora', 37), 'http://fedoraproject.org/fedora/37'],
  [linux('arch', 0), 'http://archlinux.org/archlinux/rolling'],
  [linux('alpinelinux', 3, 17), 'http://alpinelinux.org/alpinelinux/3.17'],
  [windows('Windows Server 2022 Datacenter'), 'http://microsoft.com/win/2k22'],
  [windows('Windows Server 2012 R2 Standard'), 'http://microsoft.com/win/2k12r2'],
  [windows('Windows 10 Pro'), 'http://microsoft.com/win/10'],
  [windows('Windows 11 Enterprise'), 'http://microsoft.com/win/11'],
] as const;

test.each(GUESTS)('%o is %s', (guest, id) => {
  expect(osinfoId(guest)).toBe(id);
});

test('what has no name there has none', () => {
  for (const guest of [
    linux('slitaz', 5),
    linux('constructor', 1),
    windows('Windows'),
    { ...linux('', 0), type: 'none' },
  ])
    expect(osinfoId(guest)).toBeUndefined();
});

const DATABASE = '/usr/share/osinfo/os';

test.runIf(existsSync(DATABASE))('libosinfo knows these ids', async () => {
  const known = new Set<string>();
  for (const file of await readdir(DATABASE, { recursive: true })) {
    if (!file.endsWith('.xml')) continue;
    const text = await readFile(path.join(DATABASE, file), 'utf8');
    for (const [, id = ''] of text.matchAll(/<os id="([^"]+)"/g)) known.add(id);
  }
  expect(GUESTS.map(([, id]) => id).filter((id) => !known.has(id))).toEqual([]);
});
