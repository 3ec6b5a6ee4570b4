import { describe, expect, it } from 'vitest';
import { conversionOptions, type ConversionFlags } from '../src/lib/conversion-options.js';
import { convertBody } from '../src/lib/convert-request.js';
import { settings } from '../src/lib/settings.js';

const NONE = settings({});
const of = (flags: ConversionFlags): object => conversionOptions(flags, NONE);

describe('the options of a conversion', () => {
  it('hold what was said and nothing else', () => {
    expect(of({})).toEqual({});
    expect(
      of({
        engine: 'virt-v2v',
        root: '/dev/sda2',
        'no-os': true,
        'keep-vmware-tools': true,
        'serial-console': true,
        'output-format': 'qcow2',
        compress: 'zstd',
        'map-network': ['VM Network=br0', 'a=b=network:default'],
        target: 'kvm1',
        start: true,
      }),
    ).toEqual({
      engine: 'virt-v2v',
      root: '/dev/sda2',
      no_os: true,
      keep_vmware_tools: true,
      serial_console: true,
      output_format: 'qcow2',
      compress: 'zstd',
      network_map: [
        { from: 'VM Network', to: 'br0' },
        { from: 'a=b', to: 'network:default' },
      ],
      target: 'kvm1',
      start: true,
    });
  });

  it.each([
    [{ start: true }, /--start.*libvirt/],
    [{ compress: 'zstd', 'output-format': 'raw' }, /--compress/],
    [{ 'map-network': ['VM Network'] }, /"VM Network" maps nothing/],
    [{ 'map-network': ['=br0'] }, /maps nothing/],
    [{ 'map-network': ['VM Network='] }, /maps nothing/],
  ] as const)('refuse %j', (flags, words) => expect(() => of(flags)).toThrow(words));

  it('name the flag of what the gateway would refuse', () => {
    const chosen = { vmName: 'db', source: undefined };
    const body = (flags: ConversionFlags) => () => convertBody(chosen, flags, NONE, [], 'inspect');
    expect(body({ root: 'sda2' })).toThrow(/^--root: a device/);
    expect(body({ 'map-network': ['a=b r'] })).toThrow(/^--map-network: a bridge/);
    expect(body({ target: 'a.b' })).toThrow(/^--target: /);
    expect(() => convertBody(chosen, {}, NONE, [{ key_base64: '' }])).toThrow(/^--luks-key or HYPER2KVM_LUKS_KEY: /);
  });
});
