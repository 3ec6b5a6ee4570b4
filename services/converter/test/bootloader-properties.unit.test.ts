import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBls } from '../src/steps/bootloader/bls/plan.js';
import { parseBls } from '../src/steps/bootloader/bls/parse.js';
import { planConsole } from '../src/steps/bootloader/command-line.js';
import type { Plan } from '../src/steps/bootloader/entry.js';
import { parseExtlinux } from '../src/steps/bootloader/extlinux/parse.js';
import { planExtlinux, planExtlinuxDefaults, planUpdateExtlinux } from '../src/steps/bootloader/extlinux/plan.js';
import { parseLegacy } from '../src/steps/bootloader/grub-legacy/parse.js';
import { planLegacy } from '../src/steps/bootloader/grub-legacy/plan.js';
import { planDeviceMap } from '../src/steps/bootloader/grub2/device-map.js';
import { parseGrubenv } from '../src/steps/bootloader/grub2/grubenv.js';
import { planInstallDevices } from '../src/steps/bootloader/grub2/install-devices.js';
import { parseGrubCfg } from '../src/steps/bootloader/grub2/parse.js';
import { planGrubCfg, planGrubDefaults, planGrubenv, uncertainRoots } from '../src/steps/bootloader/grub2/plan.js';
import { planKernelCmdline, planSysconfigBootloader } from '../src/steps/bootloader/sources.js';
import { deviceResolver } from '../src/steps/devices.js';
import { facts, fixture } from './boot-guest.js';

const resolve = deviceResolver(
  facts('/=/dev/sda1:ext4:aaaa-root', 'swap=/dev/sda2:swap:bbbb-swap', 'data=/dev/sda3:xfs:cccc-data'),
);
const contents = Object.fromEntries(
  [
    'debian12-bios',
    'debian12-uefi',
    'ubuntu2204',
    'rocky9',
    'rhel8',
    'rhel7',
    'sles15',
    'alpine',
    'arch',
    'centos6',
    'ubuntu804',
  ].flatMap((name) => Object.entries(fixture(name)).map(([file, text]) => [`${name}${file}`, text])),
);
const named = (pattern: RegExp): string[] =>
  Object.entries(contents)
    .filter(([file]) => pattern.test(file))
    .map(([, text]) => text);

interface Planner {
  readonly name: string;
  readonly plan: Plan;
  readonly fixtures: readonly string[];
  /** Lines that may change; any other stays. */
  readonly mayChange: RegExp;
}
const PLANNERS: readonly Planner[] = [
  {
    name: 'grub.cfg',
    plan: planGrubCfg,
    fixtures: named(/grub\.cfg$/),
    mayChange: /^\s*(?:linux(?:16|efi)?|module2?)\s|^\s*set\s+(?:default_)?kernelopts=/,
  },
  {
    name: '/etc/default/grub',
    plan: planGrubDefaults,
    fixtures: named(/default\/grub$/),
    mayChange: /^\s*(?:export\s+)?GRUB_(?:CMDLINE|DISABLE_LINUX_UUID)/,
  },
  { name: 'BLS', plan: planBls, fixtures: named(/entries\/.*\.conf$/), mayChange: /^\s*options\s/ },
  {
    name: 'menu.lst',
    plan: planLegacy,
    fixtures: named(/menu\.lst$|grub\.conf$/),
    mayChange: /^\s*(?:kernel|module)\s|^#\s*x?\w*kopt\w*=|^#\s*xenhopt=/,
  },
  { name: 'extlinux.conf', plan: planExtlinux, fixtures: named(/[^-]extlinux\.conf$/), mayChange: /^\s*append\s/i },
  {
    name: 'update-extlinux.conf',
    plan: planUpdateExtlinux,
    fixtures: named(/update-extlinux\.conf$/),
    mayChange: /^\s*(?:export\s+)?(?:root|default_kernel_opts)=/,
  },
  {
    name: '/etc/default/extlinux',
    plan: planExtlinuxDefaults,
    fixtures: ['EXTLINUX_ROOT="root=/dev/sda1"\n'],
    mayChange: /^\s*(?:export\s+)?EXTLINUX_/,
  },
  {
    name: '/etc/sysconfig/bootloader',
    plan: planSysconfigBootloader,
    fixtures: named(/sysconfig\/bootloader$/),
    mayChange: /^\s*(?:export\s+)?\w*APPEND=/,
  },
  { name: '/etc/kernel/cmdline', plan: planKernelCmdline, fixtures: named(/kernel\/cmdline$/), mayChange: /^[^#]/ },
];

/** Words of every file's language, and noise. */
const WORDS = [
  'linux',
  'linux16',
  'module2',
  'initrd',
  'options',
  'append',
  'kernel',
  'title',
  'set',
  'menuentry',
  'submenu',
  '{',
  '}',
  '#',
  '=',
  '"',
  "'",
  '$kernelopts',
  '${x}',
  'root=/dev/sda1',
  'root=/dev/sdz9',
  'resume=/dev/sda2',
  'console=tty0',
  'console=ttyS0',
  'quiet',
  '/vmlinuz',
  'kernelopts="a',
  'GRUB_CMDLINE_LINUX="',
  'GRUB_CMDLINE_LINUX=',
  'GRUB_DISABLE_LINUX_UUID=true',
  'default_kernel_opts=',
  'DEFAULT_APPEND=',
  'root=',
  '# kopt=',
  '### BEGIN /etc/grub.d/30_os-prober ###',
  '\r',
  '\t',
];
const line = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 8 }).map((words) => words.join(' ')),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }).map((words) => words.join('')),
  fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', ' ')),
);
const documentOf = (fixtures: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('', ...fixtures), fc.array(fc.tuple(fc.nat(), line), { maxLength: 12 }))
    .map(([text, added]) => {
      const lines = text.split('\n');
      for (const [at, each] of added) lines.splice(at % (lines.length + 1), 0, each);
      return lines.join('\n');
    });

describe.each(PLANNERS)('$name', ({ plan, fixtures, mayChange }) => {
  test('has fixtures', () => expect(fixtures.length).toBeGreaterThan(0));

  test.each([false, true])('a second run changes nothing (console: %s)', (serialConsole) => {
    const wishes = { resolve, serialConsole };
    fc.assert(
      fc.property(documentOf(fixtures), (text) => {
        const once = plan(text, wishes);
        expect(plan(once.text, wishes)).toMatchObject({ text: once.text, edits: [] });
        if (once.edits.length === 0) expect(once.text).toBe(text);
      }),
    );
  });

  test('unknown lines survive byte for byte, in their order', () => {
    fc.assert(
      fc.property(documentOf(fixtures), (text) => {
        const [before, after] = [text.split('\n'), plan(text, { resolve, serialConsole: false }).text.split('\n')];
        expect(after).toHaveLength(before.length);
        const touched = before.filter((each, index) => each !== after[index]);
        for (const each of touched) expect(each).toMatch(mayChange);
      }),
    );
  });
});

test('planConsole twice is planConsole once', () => {
  fc.assert(
    fc.property(documentOf([]), (text) => {
      const once = planConsole(text).text;
      expect(planConsole(once).text).toBe(once);
    }),
  );
});

test('grubenv stays 1024 bytes, and every other variable as it is', () => {
  const [grubenv = ''] = named(/rhel8.*grubenv$/);
  fc.assert(
    fc.property(fc.stringMatching(/^[\w=/ .-]{0,300}$/), fc.boolean(), (extra, serialConsole) => {
      const text = `${grubenv.replace(/#+$/, '')}other=${extra}\n`.padEnd(1024, '#').slice(0, 1024);
      const plan = planGrubenv(text, { resolve, serialConsole });
      expect(plan.text).toHaveLength(1024);
      expect(parseGrubenv(plan.text).get('other')).toBe(parseGrubenv(text).get('other'));
      expect(planGrubenv(plan.text, { resolve, serialConsole }).text).toBe(plan.text);
    }),
  );
});

/** What takes longer than the test's limit is no longer linear. */
describe('hostile files', () => {
  const many = 20_000;
  const wishes = { resolve, serialConsole: true };
  const lines = [
    'linux /vmlinuz root=/dev/sda1 resume=/dev/sda2',
    `linux ${'root=/dev/sda1 '.repeat(3)}`,
    'submenu x {',
    "menuentry '",
    'GRUB_CMDLINE_LINUX="',
    'append initrd=',
    'options $kernelopts ${kernelopts}',
    'set kernelopts="root=/dev/sda1"',
    'title x',
    'kernel --x --x --x /vmlinuz root=/dev/sda1',
    'initrd /a',
    '(hd0) /dev/sda',
    'Name: grub-pc/install_devices\n',
  ];
  const texts = [
    ...lines.map((each) => `${each}\n`.repeat(many)),
    `linux ${' '.repeat(many)}x`,
    `linux /x ${'root='.repeat(many)}`,
    `linux /x ${'--id '.repeat(many)}`,
    `menuentry ${"' --id ".repeat(many)}`,
    `options ${'\t '.repeat(many)}`,
    `kernel ${'--a '.repeat(many)}`,
    `set x=${'$x'.repeat(many)}\nlinux /x ${'$x'.repeat(many)}`,
    '"'.repeat(many),
  ];
  test.each(PLANNERS)('$name', { timeout: 60_000 }, ({ plan }) => {
    for (const text of texts) expect(plan(text, wishes).text.length).toBeGreaterThan(0);
  });
  test('what reads them', { timeout: 60_000 }, () => {
    for (const text of texts) {
      for (const parse of [parseGrubCfg, parseBls, parseLegacy, parseExtlinux, parseGrubenv, uncertainRoots])
        parse(text);
      planDeviceMap(text);
      planInstallDevices(text);
    }
    const entries = parseGrubCfg(
      `set x="${'y'.repeat(5000)}"\n${`linux /x ${'$x'.repeat(50)}\n`.repeat(many)}`,
    ).entries;
    expect(entries.reduce((sum, { commandLine }) => sum + commandLine.length, 0)).toBeLessThan(64 * 1024 * 1024);
  });
});
