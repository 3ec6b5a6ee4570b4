import path from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { partialFolder } from '../src/commit/place.js';
import { dateFolder } from '../src/output-root.js';
import { safeName } from '../src/names.js';
import { domainXml, planDomain } from '../src/targets/libvirt/index.js';
import { quoteList } from '../src/guest/quote.js';

test.each([
  ['production-db', 'production-db'],
  ['Web Server (old)', 'Web Server (old)'],
  ['../../etc', '__'.concat('_.._etc')],
  ['-rf', '_rf'],
  ['.hidden', '_hidden'],
  ['a/b\\c\n', 'a_b_c_'],
  ['..', '__'],
  ['', 'vm'],
])('%j as a folder: %j', (name, folder) => {
  expect(safeName(name)).toBe(folder);
});

test('whatever the name, it is one visible component that a file system takes', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'grapheme', maxLength: 400 })),
      (name) => {
        const folder = safeName(name);
        expect(path.join('/out', folder, 'x')).toBe(`/out/${folder}/x`);
        expect(folder).not.toMatch(/^[.-]|[/\0\n]/);
        expect(Buffer.byteLength(folder)).toBeLessThanOrEqual(180);
        expect(folder).not.toBe('');
      },
    ),
  );
});

test.each([
  '../../x',
  '-rf',
  'x'.repeat(300),
  '😀'.repeat(100),
  '..',
  'a/../../b',
  '\u202Etxt.exe',
  '\n',
  '5',
  '~root',
])('a VM named %j: one folder, and one domain that is no option, of the same name', (name) => {
  const domain = planDomain({
    machine: { name, cpus: 1, memory_bytes: 1, firmware: 'bios', secure_boot: false, disks: [], nics: [] },
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: undefined,
    accelerator: 'kvm',
    firmware: { kind: 'bios' },
    network: { type: 'network', name: 'default' },
    disks: [{ index: 1, file: 'disk1.qcow2', format: 'qcow2' }],
  });
  expect(domain.name).toMatch(/^[^-./~\s][^/\n]*$/);
  const partial = partialFolder('/out/2026-01-17', name, 'job-names0001');
  expect(path.dirname(partial)).toBe('/out/2026-01-17');
  expect(path.basename(partial)).toBe(`.${domain.name}.job-names0001.partial`);
  expect(Buffer.byteLength(path.basename(partial))).toBeLessThan(255);
  expect(domainXml(domain, `/out/${domain.name}`)).toContain('<devices>');
});

test('output folders: by the day of the request, below the allowed roots only', () => {
  const settings = { outputDir: '/srv/out', allowedOutputRoots: ['/mnt/fast'] };
  expect(dateFolder(settings, undefined, '2026-01-17T23:30:00-02:00')).toBe('/srv/out/2026-01-18');
  expect(dateFolder(settings, '/mnt/fast/vms', '2026-01-17T10:00:00Z')).toBe('/mnt/fast/vms/2026-01-17');
  for (const folder of ['/etc', '/mnt/faster', '/mnt/fast/../slow']) {
    expect(() => dateFolder(settings, folder, '2026-01-17T10:00:00Z')).toThrow('not below');
  }
});

test('guestfish is given plain words only', () => {
  expect(quoteList(['update-initramfs', '-u', '-k', '6.1.0-28-amd64+deb~1'])).toBe(
    'update-initramfs -u -k 6.1.0-28-amd64+deb~1',
  );
  for (const word of ["a'b", 'a b', 'a"b', 'a\\b', '$x', '~root', '', 'a\nb', '|sh']) {
    expect(() => quoteList(['ls', word])).toThrow('safely');
  }
});
