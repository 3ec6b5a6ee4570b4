import { BatchRequest, type BatchVm } from '@hyper2kvm/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planOf } from '../src/batches/plan.js';

const plan = (body: object) => planOf(BatchRequest.parse(body));
const wave = (called: string, after: string[] = [], vms: BatchVm[] = [`vm-of-${called}`]) => ({
  name: called,
  after,
  vms,
});
const name = (index: number): string => `w${index}`;

describe('the plan of a batch', () => {
  it('makes one wave of a plain list, in its order', () => {
    const { waves, vms } = plan({ vms: ['b', { vm_name: 'a' }] });
    expect(waves).toEqual([{ name: 'all', after: [], hooks: null }]);
    expect(vms.map(({ vmName, wave: of, field }) => [vmName, of, field])).toEqual([
      ['b', 'all', 'vms.0'],
      ['a', 'all', 'vms.1'],
    ]);
  });

  it('puts what a VM says over what the batch says, field by field', () => {
    const { vms } = plan({
      options: { priority: 'low', tags: ['batch'], fix_grub: false, verify_boot: true },
      vms: ['plain', { vm_name: 'own', options: { tags: ['own'], verify_boot: false } }],
    });
    expect(vms[0]?.options).toMatchObject({ priority: 'low', tags: ['batch'], fix_grub: false, verify_boot: true });
    expect(vms[1]?.options).toMatchObject({ priority: 'low', tags: ['own'], fix_grub: false, verify_boot: false });
    expect(vms.map(({ optionsField }) => optionsField)).toEqual(['', 'vms.1.']);
  });

  it("sends the batch's login to no other server, and to files none", () => {
    const login = { server: 'vc1', username: 'u', password: 'p' };
    const source = { kind: 'disks' as const, disks: [{ path: '/images/a.vmdk' }] };
    const { vms } = plan({
      vcenter: login,
      vms: [
        'a',
        { vm_name: 'b', vcenter: { datacenter: 'DC2' } },
        { vm_name: 'c', vcenter: { server: 'vc2' } },
        { vm_name: 'd', source },
      ],
    });
    expect(vms.map(({ vcenter }) => vcenter)).toEqual([login, { ...login, datacenter: 'DC2' }, { server: 'vc2' }, {}]);
  });

  it.each([
    [{}, /^vms: the VMs/],
    [{ vms: ['a'], waves: [wave('one')] }, /^vms: not together with waves/],
    [{ waves: [wave('one'), wave('one')] }, /^waves\.1\.name: there are two waves one/],
    [{ waves: [wave('one'), wave('two', ['one', 'three'])] }, /^waves\.1\.after\.1: there is no wave three/],
    [{ waves: [wave('one', ['one'])] }, /^waves\.0\.after: .*: one after one\./],
    [
      { waves: [wave('a'), wave('b', ['d']), wave('c', ['b']), wave('d', ['a', 'c']), wave('e', ['d'])] },
      /^waves\.1\.after: these waves wait for each other: b after d after c after b\./,
    ],
    [{ vms: ['a', 'b', { vm_name: 'a' }] }, /^vms\.2: a is named twice in the batch; first as vms\.0\./],
    [
      { waves: [wave('one', [], ['x']), wave('two', [], [{ vm_name: 'x', options: { priority: 'high' } }])] },
      /^waves\.1\.vms\.0: x is named twice in the batch; first as waves\.0\.vms\.0\./,
    ],
    [
      { vcenter: { server: 'VC:443' }, vms: ['a', { vm_name: 'a', vcenter: { server: 'vc' } }] },
      /^vms\.1: a is named twice/,
    ],
  ])('refuses %j', (body, message) => {
    expect(() => plan(body)).toThrow(message);
  });

  it('takes one name on two vCenters, or in two datacenters', () => {
    const vms = ['a', { vm_name: 'a', vcenter: { server: 'other' } }, { vm_name: 'a', vcenter: { datacenter: 'DC2' } }];
    expect(plan({ vcenter: { server: 'vc' }, vms }).vms).toHaveLength(3);
  });

  it('takes waves in whatever order they are written, and refuses every circle', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }).chain((count) =>
          fc.tuple(
            // Each wave may come after those before it in some order that nobody sees.
            fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: count, maxLength: count }),
            fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }),
            fc.nat({ max: count - 2 }),
          ),
        ),
        ([afters, order, cut]) => {
          const waves = afters.map((after, index) =>
            wave(name(index), index === 0 ? [] : [...new Set(after.map((n) => name(n % index)))]),
          );
          const shuffled = order.flatMap((index) => waves[index] ?? []);
          expect(plan({ waves: shuffled }).waves.map(({ name: of }) => of)).toEqual(order.map((index) => name(index)));
          // The first of a chain comes after its last.
          const chain = waves.map((one, index) => {
            if (index < cut) return one;
            const before = index === cut ? name(waves.length - 1) : name(index - 1);
            return { ...one, after: [...new Set([...one.after, before])] };
          });
          expect(() => plan({ waves: order.flatMap((index) => chain[index] ?? []) })).toThrow('wait for each other');
        },
      ),
      { numRuns: 200 },
    );
  });
});
