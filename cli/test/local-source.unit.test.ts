import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/lib/errors.js';
import { chooseSource } from '../src/lib/local-source.js';
import { originOf } from '../src/lib/origin.js';

const HEX = 'a'.repeat(64);

describe('what is moved', () => {
  it('is a VM of a vCenter', () => {
    expect(chooseSource({ vm: '/DC1/vm/web' }, '/home/ann')).toEqual({ vmName: '/DC1/vm/web', source: undefined });
  });

  it('is disks in their order, by absolute paths, each with its format and checksum', () => {
    const flags = {
      disk: ['root.vmdk', '../data.raw', '/srv/x/../logs.img'],
      name: 'web',
      format: ['vmdk', 'raw', 'raw'],
      checksum: [`sha256:${HEX}`, 'md5:1', 'sha1:2'],
      cpus: 4,
      memory: '8G',
      firmware: 'efi',
    };
    expect(chooseSource(flags, '/home/ann')).toEqual({
      vmName: 'web',
      source: {
        kind: 'disks',
        disks: [
          { path: '/home/ann/root.vmdk', format: 'vmdk', checksum: `sha256:${HEX}` },
          { path: '/home/data.raw', format: 'raw', checksum: 'md5:1' },
          { path: '/srv/logs.img', format: 'raw', checksum: 'sha1:2' },
        ],
        cpus: 4,
        memory_bytes: 8 * 1024 ** 3,
        firmware: 'efi',
      },
    });
  });

  it('says no more than it was told', () => {
    expect(chooseSource({ disk: ['a', 'b'], name: 'n' }, '/')).toEqual({
      vmName: 'n',
      source: { kind: 'disks', disks: [{ path: '/a' }, { path: '/b' }] },
    });
    expect(chooseSource({ disk: ['a', 'b'], name: 'n', format: ['raw'] }, '/').source).toMatchObject({
      disks: [{ format: 'raw' }, { format: 'raw' }],
    });
  });

  it.each([
    ['web.ova', 'web', 'OVA web.ova'],
    ['x/Web Server.OVF', 'Web Server', 'OVF Web Server.OVF'],
    ['a.b.ova', 'a.b', 'OVA a.b.ova'],
    ['.ova', '.ova', 'OVA .ova'],
    ['archive', 'archive', 'OVA archive'],
  ])('is an archive: %s is a VM named %s', (ova, vmName, label) => {
    const chosen = chooseSource({ ova }, '/srv');
    expect(chosen).toEqual({ vmName, source: { kind: 'ova', path: `/srv/${ova}` } });
    expect(originOf(chosen.source, 'vcenter')).toEqual({ local: true, label });
  });

  it('takes another name and a checksum for an archive', () => {
    expect(chooseSource({ ova: '/a.ova', name: 'b', checksum: ['md5:1'] }, '/')).toEqual({
      vmName: 'b',
      source: { kind: 'ova', path: '/a.ova', checksum: 'md5:1' },
    });
  });

  it.each([
    [{}, /what is to be moved/],
    [{ vm: 'a', disk: ['b'] }, /^--vm and --disk do not go together/],
    [{ disk: ['b'], ova: 'c', name: 'd' }, /^--disk and --ova do not/],
    [{ disk: ['b'] }, /--disk needs a name/],
    [{ disk: ['b', 'c', 'd'], name: 'n', format: ['raw', 'raw'] }, /^--format was given 2 times for 3 files/],
    [{ disk: ['b', 'c'], name: 'n', checksum: ['md5:1'] }, /^--checksum was given 1 times for 2 files/],
    [{ ova: 'b', checksum: ['md5:1', 'md5:2'] }, /^--checksum was given 2 times for 1 file$/],
    [{ disk: [''], name: 'n' }, /^--disk: an empty path/],
    [{ disk: ['a'], name: 'n', memory: 'much' }, /^--memory: /],
    [{ ova: 'a', firmware: 'efi' }, /^--firmware has no meaning with --ova/],
    [{ ova: 'a', format: ['vmdk'] }, /^--format has no meaning with --ova/],
    [{ vm: 'a', name: 'b' }, /^--name has no meaning with --vm/],
    [{ vm: 'a', cpus: 2 }, /^--cpus has no meaning with --vm/],
    [{ ova: 'a', vcenter: 'vc' }, /^--vcenter has no meaning with --ova/],
    [{ disk: ['a'], name: 'n', 'source-power': 'off' }, /^--source-power has no meaning with --disk/],
    [{ disk: ['a'], name: 'n', transport: 'nfc' }, /^--transport has no meaning with --disk/],
  ])('is not %j', (flags, message) => {
    expect(() => chooseSource(flags, '/')).toThrow(UsageError);
    expect(() => chooseSource(flags, '/')).toThrow(message);
  });
});
