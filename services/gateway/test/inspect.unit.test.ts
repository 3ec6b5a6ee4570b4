import { concernOf, JobOptions, type Machine } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { mergeConcerns } from '../src/inspect/merge.js';
import { sourceConcerns } from '../src/inspect/source-concerns.js';
import { leastFree, spaceConcern, spaceNeeded } from '../src/inspect/space.js';
import { refusalOf } from '../src/jobs/target-check.js';
import { assertTarget } from '../src/jobs/targets.js';
import { failure } from './facts.js';
import { MACHINE } from './given.js';

const options = (change: object = {}): JobOptions => JobOptions.parse(change);
const codes = (machine: Partial<Machine>, change: object = {}, rest: object = {}): string[] =>
  sourceConcerns({
    machine: { ...MACHINE, ...machine },
    options: options(change),
    target: undefined,
    inspected: false,
    checked: false,
    ...rest,
  }).map(({ code }) => code);

describe('what the source alone tells', () => {
  it('is nothing of a plain VM that is off', () => expect(codes({ power_state: 'poweredOff' })).toEqual([]));
  it('is that it runs, unless it is stopped first', () => {
    expect(codes({ power_state: 'poweredOn' })).toEqual(['SOURCE_RUNNING']);
    expect(codes({ power_state: 'suspended' })).toEqual(['SOURCE_RUNNING']);
    expect(codes({ power_state: 'poweredOn' }, { source_power: 'shutdown' })).toEqual([]);
  });
  it('is what its devices lose', () =>
    expect(codes({ tpm: true, secure_boot: true })).toEqual(['TPM_BLANK', 'SECURE_BOOT']));
  it('is what vCenter calls the guest, where nobody looked into it', () => {
    expect(codes({ guest_id: 'freebsd13_64Guest' })).toEqual(['GUEST_UNKNOWN']);
    expect(codes({ guest_id: 'windows2019srv_64Guest' })).toEqual(['DRIVERS']);
    expect(codes({ guest_id: 'debian12_64Guest' })).toEqual([]);
    for (const known of [{ inspected: true }, { checked: true }])
      expect(codes({ guest_id: 'windows2019srv_64Guest' }, {}, known)).toEqual([]);
    expect(codes({ guest_id: 'freebsd13_64Guest' }, {}, { checked: true })).toEqual(['GUEST_UNKNOWN']);
  });
  it('is each network that no map names, once', () => {
    const nics = ['A', 'B', 'B', undefined].map((network, index) => ({
      label: `nic ${index}`,
      type: 'vmxnet3',
      ...(network === undefined ? {} : { network }),
    }));
    expect(codes({ nics })).toEqual(['NETWORK_UNMAPPED', 'NETWORK_UNMAPPED']);
    expect(codes({ nics }, { network_map: [{ from: 'A', to: 'br0' }] })).toEqual(['NETWORK_UNMAPPED']);
    const target = { libvirt_uri: 'qemu:///system', network_map: [{ from: 'B', to: 'br1' }] };
    expect(codes({ nics }, { network_map: [{ from: 'A', to: 'br0' }] }, { target })).toEqual([]);
  });
});

describe('space', () => {
  const disks = [
    { index: 1, name: 'a', capacity_bytes: 100, used_bytes: 30 },
    { index: 2, name: 'b', capacity_bytes: 50 },
    { index: 3, name: 'c', capacity_bytes: 10, used_bytes: 20 },
  ];
  it('is what the disks use, their capacity at most, and twice that where the result is written anew', () => {
    expect(spaceNeeded({ disks }, options())).toBe(90);
    expect(spaceNeeded({ disks }, options({ output_format: 'raw' }))).toBe(180);
    expect(spaceNeeded({ disks }, options({ compress: 'zstd' }))).toBe(180);
  });
  it('is short where the fullest worker has less', () => {
    expect(leastFree([undefined, null])).toBeNull();
    expect(leastFree([200e9, null, 5e9])).toBe(5e9);
    expect(spaceConcern(6e9, 5e9)).toMatchObject([{ code: 'SPACE', severity: 'critical' }]);
    expect(spaceConcern(5e9, 5e9)).toEqual([]);
    expect(spaceConcern(5e9, null)).toEqual([]);
  });
});

it('several askers give one list, the worst first, nothing twice', () => {
  const own = [
    concernOf('NETWORK_UNMAPPED', 'ours'),
    concernOf('TPM_BLANK', 'the same'),
    concernOf('SOURCE_RUNNING', 'it runs'),
  ];
  const known = [
    concernOf('NETWORK_UNMAPPED', 'theirs'),
    concernOf('TPM_BLANK', 'the same'),
    concernOf('SPACE', 'full'),
    concernOf('TPM_BLANK', 'the same'),
  ];
  expect(mergeConcerns(own, known).map(({ message }) => message)).toEqual(['full', 'the same', 'it runs', 'theirs']);
  expect(mergeConcerns(own, []).map(({ message }) => message)).toEqual(['the same', 'ours', 'it runs']);
});

describe('a target', () => {
  const targets = { 'kvm-1': { libvirt_uri: 'qemu+ssh://root@kvm1/system', pool: 'kvm1' } };
  it('has to be configured', () => {
    expect(assertTarget(options({ target: 'kvm-1' }), targets)?.pool).toBe('kvm1');
    expect(assertTarget(options(), targets)).toBeUndefined();
    expect(() => assertTarget(options({ target: 'kvm-2' }), targets)).toThrow(/no target kvm-2; there are: kvm-1\./);
    expect(() => assertTarget(options({ target: 'toString' }), {})).toThrow(/none is configured/);
  });
  it('or libvirt is needed for a start', () => {
    expect(() => assertTarget(options({ start: true }), targets)).toThrow(/options\.start/);
    expect(assertTarget(options({ start: true, to_libvirt: true }), targets)).toBeUndefined();
    expect(assertTarget(options({ start: true, target: 'kvm-1' }), targets)).toBeDefined();
  });
  it('is refused with all that is in the way, by the first code', () => {
    const problems = [
      failure({ code: 'DOMAIN_EXISTS', message: 'There is one.' }),
      failure({ code: 'TARGET_UNSUITABLE', message: 'No br0.' }),
    ];
    expect(refusalOf(problems)).toMatchObject({ code: 'DOMAIN_EXISTS', message: 'There is one. No br0.' });
    expect(refusalOf([])).toBeUndefined();
  });
});
