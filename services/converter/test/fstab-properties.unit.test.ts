import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceResolver } from '../src/steps/devices.js';
import {
  planCrypttab,
  planDracut,
  planFstab,
  planLvmFilters,
  planMdadm,
  planResume,
  planUnit,
} from '../src/steps/fstab/index.js';
import * as fstabs from './fixtures/fstab.js';
import * as storage from './fixtures/storage.js';

const resolve = deviceResolver({
  diskCount: 2,
  mountpoints: [{ path: '/', device: '/dev/sda1', mountable: '/dev/sda1' }],
  fileSystems: [
    { device: '/dev/sda1', type: 'ext4', uuid: 'aaaa-root' },
    { device: '/dev/sda2', type: 'swap', uuid: 'bbbb-swap' },
    { device: '/dev/sda5', type: 'crypto_LUKS', uuid: 'cccc-luks' },
    { device: '/dev/sdb1', type: 'ext4', uuid: 'dddd-data' },
  ],
});

interface Planner {
  readonly name: string;
  readonly plan: (text: string) => { readonly text: string };
  readonly fixtures: readonly string[];
  /** Lines that may change; any other stays. */
  readonly mayChange: RegExp;
}

const PLANNERS: readonly Planner[] = [
  {
    name: 'fstab',
    plan: (text) => planFstab(text, resolve),
    fixtures: [...Object.values(fstabs), storage.SLES_FSTAB, storage.ARCH_FSTAB, storage.ALPINE_FSTAB],
    mayChange: /^[ \t]*[^\s#]\S*[ \t].*\/dev\/|^[ \t]*\/dev\//,
  },
  {
    name: 'crypttab',
    plan: (text) => planCrypttab(text, resolve),
    fixtures: [storage.CRYPTTAB],
    mayChange: /^[ \t]*[^\s#]\S*[ \t]+\/dev\//,
  },
  {
    name: 'resume',
    plan: (text) => planResume(text, resolve),
    fixtures: ['RESUME=/dev/sda2\nRESUME=none\n#RESUME=/dev/sda2\n'],
    mayChange: /^[ \t]*RESUME=/,
  },
  {
    name: 'dracut',
    plan: (text) => planDracut(text, resolve),
    fixtures: [
      'kernel_cmdline+=" resume=/dev/sda2 root=/dev/sda1 "\n#kernel_cmdline="resume=/dev/sda2"\nhostonly=yes\n',
    ],
    mayChange: /^[ \t]*kernel_cmdline/,
  },
  { name: 'mdadm', plan: planMdadm, fixtures: [storage.MDADM], mayChange: /\/dev\// },
  { name: 'LVM', plan: planLvmFilters, fixtures: [storage.LVM_CONF], mayChange: /"/ },
  {
    name: 'units',
    plan: (text) => planUnit('a.mount', text, resolve),
    fixtures: [storage.MOUNT_UNIT, storage.SWAP_UNIT],
    mayChange: /^What=/,
  },
];

describe.each(PLANNERS)('$name', ({ plan, fixtures, mayChange }) => {
  const known = fixtures.flatMap((text) => text.split('\n'));
  const piece = fc.constantFrom(
    '/dev/sda1',
    '/dev/sdb',
    ' ',
    '\t',
    '#',
    '"',
    '=',
    'a|/dev/sd|',
    '\\040',
    'é',
    '\u0000',
    '\r',
    'UUID=x',
  );
  const line = fc.oneof(
    fc.constantFrom(...known),
    fc.string({ maxLength: 40, unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    fc
      .tuple(fc.constantFrom(...known), fc.string({ maxLength: 5 }))
      .map(([text, more]) => `${text}${more.replaceAll('\n', '')}`),
  );
  const file = fc.array(line, { maxLength: 15 }).map((lines) => lines.join('\n'));

  test('the fixtures change', () => {
    for (const text of fixtures.filter((each) => !each.includes('anaconda'))) expect(plan(text).text).not.toBe(text);
  });

  test('a second run changes nothing', () => {
    fc.assert(
      fc.property(file, (text) => {
        const once = plan(text).text;
        expect(plan(once).text).toBe(once);
      }),
    );
  });

  test('lines that it does not know stay byte for byte, in their order', () => {
    fc.assert(
      fc.property(file, (text) => {
        const after = plan(text).text.split('\n');
        const before = text.split('\n');
        expect(after).toHaveLength(before.length);
        for (const [index, each] of before.entries()) if (!mayChange.test(each)) expect(after[index]).toBe(each);
      }),
    );
  });

  // A pattern that goes back over what it read would take hours; the limit of a test is 30 s.
  test.each([
    ['blanks', ' '.repeat(400_000)],
    ['tabs before a device', `${'\t'.repeat(200_000)}/dev/sda1${'\t'.repeat(200_000)}x`],
    ['one word', 'x'.repeat(400_000)],
    ['quotes', '"'.repeat(400_001)],
    ['an open filter', `filter = [ ${'"a|/dev/sda|", '.repeat(30_000)}`],
    ['backslashes', `filter = "${'\\'.repeat(400_000)}`],
    ['commas', `/dev/sda1 / ext4 ${'a=/dev/sda1,'.repeat(30_000)}`],
    ['colons', `a /dev/sda5 ${'/dev/sdb1:'.repeat(30_000)} x`],
    ['assignments', `kernel_cmdline+="${' resume=/dev/sda2'.repeat(20_000)}`],
    ['devices', `ARRAY /dev/md0 ${'devices=/dev/sda1 '.repeat(20_000)}`],
    ['100,000 lines', known.join('\n').repeat(Math.ceil(100_000 / known.length))],
    ['100,000 continuations', `DEVICE\n${' /dev/sda1\n'.repeat(100_000)}`],
  ])('hostile: %s', (_name, text) => {
    expect(plan(text).text.length).toBeGreaterThan(0);
  });
});
