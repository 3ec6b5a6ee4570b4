import type { Nic } from '@hyper2kvm/contracts';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globMatches } from '../src/steps/network/glob.js';
import { hardwareOf } from '../src/steps/network/hardware.js';
import { planNetwork } from '../src/steps/network/index.js';
import { mentions } from '../src/steps/network/mentions.js';
import { ifcfgMentions } from '../src/steps/network/readers/ifcfg.js';
import { ifupdownMentions, ifupdownSources } from '../src/steps/network/readers/ifupdown.js';
import { keyfileMentions } from '../src/steps/network/readers/keyfile.js';
import { netplanMentions } from '../src/steps/network/readers/netplan.js';
import { networkdMentions } from '../src/steps/network/readers/networkd.js';
import { dhcpcdMentions, netctlMentions, wickedMentions } from '../src/steps/network/readers/other.js';
import { rewriteIfcfg, rewriteKeyfile, rewriteNetworkd } from '../src/steps/network/rewrite-ini.js';
import { rewriteNetplan } from '../src/steps/network/rewrite-netplan.js';
import { rewriteAliases, rewriteManager } from '../src/steps/network/rewrite-other.js';
import { planRules } from '../src/steps/network/rules.js';
import * as fixtures from './fixtures/network.js';

const nics: Nic[] = [
  { label: 'one', type: 'vmxnet3', mac: '00:50:56:00:00:01', pci_slot: 192 },
  { label: 'two', type: 'e1000', mac: '00:50:56:00:00:02', pci_slot: 224 },
];
const hardware = hardwareOf(nics, 252, new Map([['00:50:56:00:00:03', '00:50:56:00:00:01']]));
const macs = nics.flatMap(({ mac }) => mac ?? []);

interface Rewriter {
  readonly name: string;
  readonly rewrite: (text: string) => { readonly text: string };
  readonly fixtures: readonly string[];
  /** Lines without any of it stay. */
  readonly mayChange: RegExp;
}

const REWRITERS: readonly Rewriter[] = [
  {
    name: 'networkd',
    rewrite: (text) => rewriteNetworkd(text, hardware),
    fixtures: [fixtures.NETWORK_MATCH, fixtures.LINK_LAN],
    mayChange: /^\s*(?:Driver|Path|OriginalName|(?:Permanent)?MACAddress)\s*=/,
  },
  {
    name: 'keyfile',
    rewrite: (text) => rewriteKeyfile(text, hardware),
    fixtures: [fixtures.KEYFILE_PATH],
    mayChange: /^\s*(?:driver|path|mac-address)\s*=|ethernet\]/,
  },
  {
    name: 'netplan',
    rewrite: (text) => rewriteNetplan(text, hardware),
    fixtures: [fixtures.NETPLAN_DRIVER.replace('["vmxnet3", "e1000"]', 'e1000')],
    mayChange: /vmxnet3|e1000|macaddress|[\da-f]{2}:/,
  },
  {
    name: 'ifcfg',
    rewrite: (text) => rewriteIfcfg(text, hardware),
    fixtures: [fixtures.IFCFG.replace('00:00:01', '00:00:03')],
    mayChange: /HWADDR/,
  },
  {
    name: 'NetworkManager.conf',
    rewrite: (text) => rewriteManager(text, hardware),
    fixtures: ['[device]\nmatch-device=driver:vmxnet3\nwifi=1\n'],
    mayChange: /^[ \t]*(?:match-device|unmanaged-devices|no-auto-default)/,
  },
  {
    name: 'aliases',
    rewrite: rewriteAliases,
    fixtures: ['alias eth0 vmxnet3\nalias scsi x\n'],
    mayChange: /^[ \t]*alias/,
  },
  {
    name: 'rules',
    rewrite: (text) => planRules(text, { macs, macOf: (path) => hardware.macOf(`pci-${path}`), generated: true }),
    fixtures: [fixtures.PERSISTENT],
    mayChange: /SUBSYSTEM/,
  },
];

const piece = fc.constantFrom(
  '[Match]',
  '[match]',
  '[ethernet]',
  '{',
  '}',
  ':',
  ': ',
  '- ',
  '"',
  "'",
  ',',
  '#',
  '  ',
  'driver',
  'vmxnet3',
  'match',
  '=',
  '\t',
  'é',
);

describe.each(REWRITERS)('$name', ({ rewrite, fixtures: texts, mayChange }) => {
  const known = texts.flatMap((text) => text.split('\n'));
  const line = fc.oneof(
    fc.constantFrom(...known),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    fc.string({ maxLength: 30, unit: 'binary' }).map((text) => text.replaceAll('\n', ' ')),
  );
  const others = (whole: string): string[] => whole.split('\n').filter((each) => !mayChange.test(each));
  const file = fc.oneof(
    fc.array(line, { maxLength: 15 }).map((lines) => lines.join('\n')),
    // The fixtures with odd lines between theirs.
    fc.tuple(fc.constantFrom(...texts), line, fc.nat(12)).map(([text, odd, at]) => {
      const lines = text.split('\n');
      return [...lines.slice(0, at), odd, ...lines.slice(at)].join('\n');
    }),
  );

  test('the fixtures change', () => {
    for (const text of texts) expect(rewrite(text).text).not.toBe(text);
  });

  test('a second run changes nothing', () => {
    fc.assert(
      fc.property(file, (text) => {
        const once = rewrite(text).text;
        expect(rewrite(once).text).toBe(once);
      }),
    );
  });

  test('what it does not know stays byte for byte, in its order', () => {
    fc.assert(
      fc.property(file, (text) => {
        // Of a file that ends with a line's end, as every file of configuration does.
        expect(others(rewrite(`${text}\n`).text)).toEqual(others(`${text}\n`));
      }),
    );
  });
});

const READERS: readonly [name: string, read: (text: string) => unknown][] = [
  ...REWRITERS.map(({ name, rewrite }): [string, (text: string) => unknown] => [`${name}, rewriting`, rewrite]),
  ['ifupdown', ifupdownMentions],
  ['ifupdown sources', ifupdownSources],
  ['netplan', netplanMentions],
  ['keyfile', keyfileMentions],
  ['networkd', (text) => networkdMentions('a.network', text)],
  ['ifcfg', (text) => ifcfgMentions('ifcfg-a', text)],
  ['wicked', wickedMentions],
  ['dhcpcd', dhcpcdMentions],
  ['netctl', netctlMentions],
];

// A pattern that goes back over what it read would take hours; the limit of a test is 30 s.
describe.each(READERS)('hostile text: %s', (_name, read) => {
  test.each([
    ['blanks', ' '.repeat(200_000)],
    ['open brackets', '['.repeat(200_000)],
    ['open braces with keys', '{a: '.repeat(60_000)],
    ['quotes', `"'`.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['colons', 'a:b: '.repeat(50_000)],
    ['assignments', '='.repeat(200_000)],
    ['driver list', `[Match]\nDriver=${'vmxnet3 '.repeat(20_000)}\n[match]\ndriver=${'vmxnet3;'.repeat(20_000)}`],
    ['lines', 'auto ens192\nDriver=vmxnet3\n  a:\n'.repeat(10_000)],
    ['deeper and deeper', Array.from({ length: 1000 }, (_each, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['tags', '<name>'.repeat(40_000)],
    ['rules', 'SUBSYSTEM=="net", ATTR{address}=="'.repeat(10_000)],
  ])('%s', (_what, text) => {
    expect(read(text)).toBeDefined();
  });
});

test('whatever the names: no file outside, no line of its own', () => {
  const name = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('../../x', '..', 'a/b', 'lan"\nRUN+="x', 'ens192', '-rf', '🙂'),
  );
  fc.assert(
    fc.property(fc.array(name, { maxLength: 4 }), fc.constantFrom(undefined, 219, 241, 252), (cards, systemd) => {
      const { files } = planNetwork({
        nics,
        mentions: mentions({ cards, fixed: cards.map((each) => ['00:50:56:00:00:02', each] as const) }),
        generatedMacs: [],
        systemd,
        kernelNames: false,
        byRule: new Map(),
        udev: true,
      });
      for (const [file, text] of files) {
        expect(file).toMatch(
          /^\/etc\/(?:systemd\/network\/10-hyper2kvm-[\w.-]{1,15}\.link|udev\/rules\.d\/70-hyper2kvm-net\.rules)$/,
        );
        expect(text).toMatch(/^[\w\s#.:,="{}[\]+-]*$/);
      }
    }),
  );
});

test('patterns of names', () => {
  expect(['ens*', 'en?192', 'e[nt]s192', '*', '*9*'].every((pattern) => globMatches(pattern, 'ens192'))).toBe(true);
  expect(['ens', 'enp*', '', 'ens192?'].some((pattern) => globMatches(pattern, 'ens192'))).toBe(false);
  expect(globMatches(`${'a*'.repeat(5000)}b`, 'a'.repeat(5000))).toBe(false);
});
