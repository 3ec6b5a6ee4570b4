import { describe, expect, it } from 'vitest';
import { fitting } from '../src/inspection/reply.js';
import { qemuName } from '../src/inspection/image.js';
import { parseOldRelease, parseOsRelease } from '../src/guest/system/os-release.js';
import { versionFromNames } from '../src/guest/system/systemd.js';
import { productName } from '../src/guest/system/windows.js';

describe('os-release', () => {
  it.each([
    [
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
      { distro: 'debian', product: 'Debian GNU/Linux 12 (bookworm)', version: { major: 12, minor: 0 } },
    ],
    [
      'NAME="Red Hat Enterprise Linux"\nVERSION="9.3 (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.3"\nPRETTY_NAME="Red Hat Enterprise Linux 9.3 (Plow)"\n',
      { distro: 'rhel', product: 'Red Hat Enterprise Linux 9.3 (Plow)', version: { major: 9, minor: 3 } },
    ],
    [
      "NAME='Arch Linux'\nID=arch\nBUILD_ID=rolling\n",
      { distro: 'archlinux', product: 'Arch Linux', version: { major: 0, minor: 0 } },
    ],
    ['ID="ol"\nPRETTY_NAME="\u001B[31mred\u0007"\n', { distro: 'oraclelinux', product: '[31mred' }],
  ])('%#', (text, release) => {
    expect(parseOsRelease(text)).toMatchObject(release);
  });

  it('without a name is none', () => {
    expect(parseOsRelease('# nothing\n')).toBeUndefined();
  });
});

it.each([
  ['/etc/redhat-release', 'CentOS release 6.10 (Final)\n', 'centos', 'CentOS release 6.10 (Final)', 6, 10],
  ['/etc/redhat-release', 'Red Hat Enterprise Linux Server release 7.9 (Maipo)', 'rhel', undefined, 7, 9],
  ['/etc/debian_version', '6.0.10\n', 'debian', 'Debian GNU/Linux 6.0.10', 6, 0],
  ['/etc/alpine-release', '3.18.4\n', 'alpine', 'Alpine Linux 3.18.4', 3, 18],
  ['/etc/SuSE-release', 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11', 'sles', undefined, 11, 0],
])('%s: %s', (file, text, distro, product, major, minor) => {
  const release = parseOldRelease(file, text);
  expect(release).toMatchObject({ distro, version: { major, minor } });
  if (product !== undefined) expect(release.product).toBe(product);
});

it("systemd's version is that of its library", () => {
  expect(versionFromNames(['x.so', 'libsystemd-shared-252-51.el9.so'])).toBe(252);
  expect(versionFromNames(['libsystemd-shared-249.so'])).toBe(249);
  expect(versionFromNames(['libsystemd.so.0'])).toBeUndefined();
});

it('Windows 11 calls itself 10 in its registry', () => {
  expect(productName('Windows 10 Pro', 22_631)).toBe('Windows 11 Pro');
  expect(productName('Windows 10 Pro', 19_045)).toBe('Windows 10 Pro');
  expect(productName(undefined, 0)).toBe('Windows');
});

describe('an answer about disks', () => {
  const inspection = {
    guest: {
      type: 'linux',
      product: 'x',
      distro: 'x',
      arch: 'x86_64',
      root: '/dev/sda1',
      file_systems: [],
      mountpoints: [],
      kernels: [],
      init: 'systemd',
    },
    engine: 'native' as const,
    concerns: [],
    seconds: 1,
  };

  it('fits into a message, whatever the guest holds', () => {
    const change = { step: 'fstab', file: `/${'f'.repeat(5000)}`, summary: 's'.repeat(5000), diff: 'd'.repeat(50_000) };
    const changes = Array.from({ length: 1000 }, () => change);
    const concerns = Array.from({ length: 1000 }, () => ({
      code: 'EXPORT',
      severity: 'info' as const,
      message: 'm'.repeat(5000),
      advice: 'a',
    }));
    const cut = fitting({ ...inspection, changes, concerns });
    expect(JSON.stringify(cut).length).toBeLessThan(500_000);
    expect(cut.changes.at(-1)?.summary).toBe('800 more changes, too many to be shown');
    expect(cut.changes[0]?.diff).toHaveLength(50_000);
    expect(cut.changes[10]).toMatchObject({ summary: expect.stringContaining('too long to be shown') });
  });

  it('that is short stays as it is', () => {
    const short = { ...inspection, changes: [{ step: 'fstab', file: '/etc/fstab', summary: 's', diff: 'd' }] };
    expect(fitting(short)).toEqual(short);
  });

  it('is of files as QEMU is told to read them', () => {
    const piece = { path: '/a.ova', format: 'vmdk', offset_bytes: 1024, size_bytes: 2048 } as const;
    expect(JSON.parse(qemuName(piece).slice(5))).toEqual({
      driver: 'vmdk',
      backing: null,
      file: { driver: 'raw', offset: 1024, size: 2048, file: { driver: 'file', filename: '/a.ova' } },
    });
    expect(JSON.parse(qemuName({ path: '/a.raw', format: 'raw' }).slice(5))).toEqual({
      driver: 'raw',
      file: { driver: 'file', filename: '/a.raw' },
    });
  });
});
