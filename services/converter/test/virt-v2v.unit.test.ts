import { describe, expect, it } from 'vitest';
import { XMLParser } from 'fast-xml-parser';
import type { Machine } from '@hyper2kvm/contracts';
import { failure } from '../src/engines/virt-v2v/failure.js';
import { parseLine, partDone, type Said } from '../src/engines/virt-v2v/output.js';
import { assertShort } from '../src/engines/virt-v2v/run.js';
import { sourceXml } from '../src/engines/virt-v2v/xml.js';

const machine = (values: Partial<Machine> = {}): Machine => ({
  name: 'orders-win',
  cpus: 2,
  memory_bytes: 4 * 1024 ** 3,
  firmware: 'bios',
  secure_boot: false,
  disks: [],
  nics: [],
  ...values,
});

interface Parsed {
  domain: {
    name: string;
    memory: { '#text': number };
    os: { '@firmware'?: string };
    devices: {
      disk: { driver: { '@type': string }; source: { '@file': string }; target: { '@dev': string } }[];
      interface: { mac: { '@address': string }; source: { '@network': string } }[];
    };
  };
}

function parsed(xml: string): Parsed['domain'] {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    isArray: (name) => name === 'disk' || name === 'interface',
  });
  return (parser.parse(xml) as Parsed).domain;
}

describe('the source for virt-v2v', () => {
  it('names every disk in its order, with its format', () => {
    const files = Array.from({ length: 28 }, (_, index) => ({
      file: `/work/disk${index + 1}.overlay.qcow2`,
      format: 'qcow2' as const,
    }));
    const { disk } = parsed(sourceXml(machine(), files)).devices;
    expect(disk.map(({ source }) => source['@file'])).toEqual(files.map(({ file }) => file));
    expect(disk.every(({ driver }) => driver['@type'] === 'qcow2')).toBe(true);
    expect(disk.map(({ target }) => target['@dev']).slice(24)).toEqual(['sdy', 'sdz', 'sdaa', 'sdab']);
  });

  it('keeps names that would end an element or an attribute', () => {
    const hostile = `<a> & 'b' "c" \u0000]]>`;
    const xml = sourceXml(
      machine({
        name: hostile,
        nics: [{ label: 'x', type: 'vmxnet3', mac: '00:50:56:ab:cd:ef', network: `it's <&> "net"` }],
      }),
      [{ file: `/work/it's <&> here/disk1.qcow2`, format: 'qcow2' }],
    );
    const domain = parsed(xml);
    expect(domain.name).toBe(`<a> & 'b' "c" ]]>`);
    expect(domain.devices.disk[0]?.source['@file']).toBe(`/work/it's <&> here/disk1.qcow2`);
    expect(domain.devices.interface[0]).toMatchObject({
      mac: { '@address': '00:50:56:ab:cd:ef' },
      source: { '@network': `it's <&> "net"` },
    });
  });

  it('tells the firmware', () => {
    expect(parsed(sourceXml(machine({ firmware: 'efi' }), [])).os['@firmware']).toBe('efi');
    expect(parsed(sourceXml(machine(), [])).os['@firmware']).toBeUndefined();
  });
});

const said = (type: Said['type'], message: string): string =>
  JSON.stringify({ message, timestamp: '2026-11-23T04:40:58.335756615+00:00', type });

describe('what virt-v2v says', () => {
  it('is read from its lines for machines alone', () => {
    expect(parseLine(said('message', 'Opening the source'))).toEqual({ type: 'message', text: 'Opening the source' });
    expect(parseLine('[   1.0] Opening the source')).toBeUndefined();
    expect(parseLine('{ "message": torn')).toBeUndefined();
    expect(parseLine('{"type": "progress", "message": "1/2"}')).toBeUndefined();
    expect(parseLine('{"type": "message", "message": 7}')).toBeUndefined();
  });

  it('becomes one line without hints to its own debugging', () => {
    const words =
      'qemu-nbd did not start up.  There may be errors above.\n\nIf the messages above are not sufficient to ...';
    expect(parseLine(said('error', words))?.text).toBe('qemu-nbd did not start up. There may be errors above.');
  });

  it('tells how far it is', () => {
    const parts = [
      'Setting up the source: -i libvirtxml a.xml',
      'Opening the source',
      'Inspecting the source',
      'Converting Windows Server 2022 Standard to run on KVM',
      'Mapping filesystem data to avoid copying unused and blank areas',
      'Finishing off',
    ].map((text) => partDone({ type: 'message', text }) ?? Number.NaN);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    expect([parts[0], parts.at(-1)]).toEqual([0, 1]);
    expect(partDone({ type: 'info', text: 'This guest has virtio drivers installed.' })).toBeUndefined();
  });
});

const code = (text: string): string => failure(1, [{ type: 'error', text }], []).code;

describe('a virt-v2v that failed', () => {
  it('says what a person can do where it is known', () => {
    expect(code('filesystem was mounted read-only, even though we asked for it to be mounted read-write. …')).toBe(
      'GUEST_HIBERNATED',
    );
    expect(code('One of rhsrvany.exe or pvvxsvc.exe is missing in /usr/share/virt-tools.')).toBe('GUEST_UNSUPPORTED');
    expect(code('not enough free space for conversion on filesystem ‘/’. 12.0 MB free < 100 MB needed')).toBe(
      'GUEST_UNSUPPORTED',
    );
    expect(code('insufficient free space in the conversion server temporary directory /var/tmp (12.0M).')).toBe(
      'DISK_FULL',
    );
    expect(code('libguestfs error: guestfs_launch failed')).toBe('CONVERSION_STEP');
  });

  it('is quoted with its last words, from whichever stream has them', () => {
    expect(
      failure(
        1,
        [
          { type: 'error', text: 'first' },
          { type: 'warning', text: 'never mind' },
          { type: 'error', text: 'no disks' },
        ],
        [],
      ).message,
    ).toBe('virt-v2v: no disks');
    const lines = ['virt-v2v-in-place: error: cannot parse', 'If reporting bugs, run virt-v2v-in-place with …'];
    expect(failure(1, [], lines).message).toBe('virt-v2v: cannot parse');
    expect(failure(null, [], []).message).toBe('virt-v2v: ended with a signal');
    expect(failure(127, [], []).message).toContain('is virt-v2v installed?');
  });
});

it('a work folder that is too long for sockets is refused before anything is done', () => {
  expect(() => assertShort(`/${'x'.repeat(90)}`)).not.toThrow();
  expect(() => assertShort(`/${'x'.repeat(91)}`)).toThrow('1 characters too long');
});
