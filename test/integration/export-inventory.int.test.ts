/** What a vCenter has: VMs with their places, filtered, with tags where they are asked for. */
import { InventoryFilter } from '@hyper2kvm/contracts';
import { listVms, type Endpoint } from '@hyper2kvm/exporter';
import type { z } from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MinimalSoap, referenceIn } from '../support/soap.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { failure, withSession } from './vcenter-asking.js';

const GIB = 2 ** 30;
const disks = [{ capacity_bytes: 2 * GIB, used_bytes: GIB }, { capacity_bytes: GIB + 512 }];
let vcsim: Vcsim;

beforeAll(async () => {
  vcsim = await startVcsim({
    vms: [
      { name: 'web-01', folder: 'web', disks, cpus: 4, memory_mb: 512, tags: ['env:production', 'tier:front'] },
      { name: 'Web-02', folder: 'web', disks, power_state: 'poweredOn', tags: ['env:test', 'tier:front'] },
      { name: 'web-01', folder: 'web/old', disks: [] },
      { name: 'web-template', folder: 'web', disks, template: true },
      { name: 'db[1]', disks, tags: ['env:production'] },
      { name: 'web-03', datacenter: 'DC1', folder: 'website', disks },
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
});

const list = async (filter: z.input<typeof InventoryFilter> = {}, change: Partial<Endpoint> = {}) =>
  withSession(vcsim, async (session) => listVms(session, InventoryFilter.parse(filter)), change);

const paths = async (...asked: Parameters<typeof list>): Promise<string[]> =>
  (await list(...asked)).map(({ inventory_path }) => inventory_path);

const byTags = async (...tags: string[]) => (await list({ tags })).map(({ name, tags: own }) => [name, own]);

describe('the list of VMs', () => {
  test('shows what a migration is planned by', async () => {
    const [vm, ...others] = await list({ name: '/DC0/vm/web/web-01' });
    expect(others).toEqual([]);
    expect(vm).toEqual({
      moref: expect.stringMatching(/^vm-\d+$/) as unknown,
      name: 'web-01',
      inventory_path: '/DC0/vm/web/web-01',
      folder: '/DC0/vm/web',
      datacenter: 'DC0',
      host: expect.stringMatching(/^DC0_C0_H\d$/) as unknown,
      power_state: 'poweredOff',
      guest_name: 'debian12_64Guest',
      cpus: 4,
      memory_bytes: 512 * 2 ** 20,
      disks: 2,
      capacity_bytes: 3 * GIB + 512,
      used_bytes: expect.any(Number) as unknown,
      template: false,
    });
    expect(vm?.used_bytes).toBeGreaterThan(GIB);
    expect(vm?.used_bytes).toBeLessThan(2 * GIB);
  });

  test('is complete but for templates, and ordered by path', async () => {
    expect(await paths()).toEqual([
      '/DC0/vm/db[1]',
      '/DC0/vm/web/Web-02',
      '/DC0/vm/web/old/web-01',
      '/DC0/vm/web/web-01',
      '/DC1/vm/website/web-03',
    ]);
    expect(await paths({ templates: true, name: '*template' })).toEqual(['/DC0/vm/web/web-template']);
    expect(await list({ name: '/DC0/vm/web/old/*' })).toMatchObject([{ disks: 0, capacity_bytes: 0 }]);
  });

  test('is that of one datacenter, with whole paths', async () => {
    expect(await paths({}, { datacenter: 'DC1' })).toEqual(['/DC1/vm/website/web-03']);
    expect(await failure(list({}, { datacenter: 'DC9' }), 'VM_NOT_FOUND')).toContain('it has: DC0, DC1');
  });

  test('leaves no view behind', async () => {
    await list();
    const { calls } = await vcsim.control();
    expect(calls.DestroyView).toBe(calls.CreateContainerView);
  });
});

describe('filters', () => {
  test.each<[string, z.input<typeof InventoryFilter>, string[]]>([
    ['a name without regard to case', { name: 'WEB-0?' }, ['Web-02', 'old/web-01', 'web-01', 'web-03']],
    ['names in braces', { name: 'web-{02,03}' }, ['Web-02', 'web-03']],
    ['a name that looks like a pattern, escaped', { name: 'db\\[1\\]' }, ['db[1]']],
    ['a name that is a part of others', { name: 'web' }, []],
    ['a path', { name: '/dc0/vm/web/*' }, ['Web-02', 'web-01']],
    ['a path across folders', { name: 'DC?/**/web-0[13]' }, ['old/web-01', 'web-01', 'web-03']],
    ['a folder with all beneath it', { folder: '/DC0/vm/web' }, ['Web-02', 'old/web-01', 'web-01']],
    ['folders by pattern', { folder: '/*/vm/web*/' }, ['Web-02', 'old/web-01', 'web-01', 'web-03']],
    ['a folder that is only the beginning of one', { folder: '/DC0/vm/we' }, []],
    ['the power state', { power_state: 'poweredOn' }, ['Web-02']],
    ['all of several', { power_state: 'poweredOff', folder: '/DC0', name: 'web*' }, ['old/web-01', 'web-01']],
  ])('%s', async (_, filter, expected) => {
    const found = (await paths(filter)).map((path) => path.replace(/^\/DC\d\/vm\/(web(site)?\/)?/, ''));
    expect(found).toEqual(expected);
  });

  test('a "/" within a name is none of a path', async () => {
    const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
    await soap.login(vcsim.username, vcsim.password);
    const index = { type: 'SearchIndex', value: 'SearchIndex' };
    const at = '<inventoryPath>/DC1/vm/website/web-03</inventoryPath>';
    const vm = referenceIn(await soap.call('FindByInventoryPath', index, at), 'VirtualMachine');
    await soap.call('Rename_Task', vm, '<newName>a%2fb</newName>');
    try {
      expect(await list({ name: 'A*B' })).toMatchObject([
        { name: 'a/b', inventory_path: '/DC1/vm/website/a%2fb', folder: '/DC1/vm/website' },
      ]);
    } finally {
      await soap.call('Rename_Task', vm, '<newName>web-03</newName>');
    }
  });
});

describe('tags', () => {
  test('by name or with their category, all of them, without regard to case', async () => {
    const web01 = ['web-01', ['env:production', 'tier:front']];
    expect(await byTags('production')).toEqual([['db[1]', ['env:production']], web01]);
    expect(await byTags('ENV:Production', 'front')).toEqual([web01]);
    expect(await byTags('tier:front')).toEqual([['Web-02', ['env:test', 'tier:front']], web01]);
    expect(await byTags('tier:production')).toEqual([]);
    expect(await byTags('no-such-tag')).toEqual([]);
  });

  test('are not looked at where nobody asks, and are of those VMs alone that the rest of the filter leaves', async () => {
    expect((await list()).every((vm) => !('tags' in vm))).toBe(true);
    expect((await list({ tags: ['front'], power_state: 'poweredOn' })).map(({ name }) => name)).toEqual(['Web-02']);
  });
});

test('5,000 VMs are listed in as many questions as pages need, not one per VM', async () => {
  const many = await startVcsim({ vms: [{ name: 'one', disks }], many: 5_000 });
  try {
    const before = (await many.control()).calls;
    const vms = await withSession(many, async (session) => listVms(session, { templates: false }));
    const after = (await many.control()).calls;
    expect(vms).toHaveLength(5_001);
    expect(new Set(vms.map(({ inventory_path }) => inventory_path)).size).toBe(5_001);
    expect(vms.every((vm) => vm.disks === 2 && vm.capacity_bytes === 3 * GIB + 512)).toBe(true);
    expect(vms.at(4_000)?.inventory_path).toMatch(/^\/DC0\/vm\/many-\d{5}\/many-\d{5}$/);
    const asked = (method: string): number => (after[method] ?? 0) - (before[method] ?? 0);
    expect(asked('CreateContainerView')).toBe(1);
    // 200 VMs with their devices in each, after the one that begins the pages.
    expect(asked('RetrievePropertiesEx')).toBe(1 + Math.ceil(5_001 / 200));
    expect(asked('ContinueRetrievePropertiesEx')).toBeLessThan(15);

    // Of a few VMs, the devices of those few are read.
    const some = await withSession(many, async (session) => listVms(session, { name: 'many-0001?', templates: false }));
    expect(some).toHaveLength(10);
    expect(((await many.control()).calls.RetrievePropertiesEx ?? 0) - (after.RetrievePropertiesEx ?? 0)).toBe(2);
  } finally {
    await many.stop();
  }
});
