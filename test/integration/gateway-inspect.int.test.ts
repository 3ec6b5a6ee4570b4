import { concernOf, Inspection, JobError } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Client, Gate } from './gateway-client.js';
import { startStack, type Stack } from './gateway-stack.js';
import { inspection, machine, startWorkers, type Behaviour } from './gateway-workers.js';

const vcenter = { server: 'vc.example.com', username: 'automation@vsphere.local', password: 'a-password' };
const disks = { source: { kind: 'disks', disks: [{ path: '/images/a.vmdk' }] } };
let stack: Stack;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
const work = async (behaviour: Behaviour, which?: ('exporter' | 'converter')[]): Promise<void> => {
  stopWorkers = await startWorkers(stack.nats.servers, behaviour, which);
};
const ask = (rest: object, options: object = {}): Promise<Response> =>
  client.send('POST', '/api/v1/inspect', { vm_name: 'web-01', options, ...rest });
const inspect = async (rest: object, options: object = {}): Promise<Inspection> => {
  const response = await ask(rest, options);
  const body: unknown = await response.json();
  expect(response.status, JSON.stringify(body)).toBe(200);
  return Inspection.parse(body);
};
const stored = async (): Promise<number> =>
  (await stack.db.query('SELECT id::text FROM jobs UNION ALL SELECT id::text FROM outbox')).rowCount ?? 0;

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway());
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

it('tells of files what is in them, what would be done and what worries, and stores nothing', async () => {
  const asked: unknown[] = [];
  const guestConcern = concernOf('BOOTLOADER_UNKNOWN', 'LILO');
  await work({
    local: () => ({ disks: [{ path: '/images/a.ova', format: 'vmdk', offset_bytes: 1024, size_bytes: 4096 }] }),
    inspecting: (request) => {
      asked.push(request);
      return inspection({ concerns: [guestConcern] });
    },
    target: () => ({ concerns: [concernOf('SPACE', 'nearly nothing')], work_free_bytes: 7e9 }),
  });
  const key = { key_base64: Buffer.from('secret').toString('base64') };
  const seen = await inspect({ ...disks, luks_keys: [key] }, { root: '/dev/sda1' });
  expect(seen).toMatchObject({
    vm_name: 'web-01',
    source_kind: 'disks',
    machine: { cpus: 2 },
    inspection: { engine: 'native', guest: { distro: 'debian' }, changes: [{ file: '/etc/fstab' }] },
    not_inspected: null,
    refusal: null,
    estimate: { export_seconds: null, conversion_seconds: null, space_bytes: 10 * 1024 ** 3, free_bytes: 7e9 },
  });
  // The converter's word on space is enough.
  expect(seen.concerns.map(({ code }) => code)).toEqual(['SPACE', 'BOOTLOADER_UNKNOWN']);
  expect(asked).toMatchObject([
    {
      disks: [{ path: '/images/a.ova', offset_bytes: 1024 }],
      machine: { name: 'web-01' },
      options: { root: '/dev/sda1' },
    },
  ]);
  const { luks_keys_sealed: sealed } = (asked[0] as { options: { luks_keys_sealed: string } }).options;
  expect(JSON.parse(new Sealer(Buffer.from(stack.key, 'base64')).open(sealed))).toEqual([key]);
  expect(await stored()).toBe(0);
});

it('says why a conversion would be refused', async () => {
  await work({
    inspecting: () => {
      throw new JobError('GUEST_MULTIPLE_OS', 'Two were found: /dev/sda1, /dev/sdb1.');
    },
    target: () => ({ problems: [new JobError('DOMAIN_EXISTS', 'There is one.').toFailure()] }),
  });
  const guest = await inspect(disks);
  expect(guest).toMatchObject({
    inspection: null,
    refusal: { code: 'GUEST_MULTIPLE_OS', message: 'Two were found: /dev/sda1, /dev/sdb1.' },
  });
  expect(guest.refusal?.advice).toContain('--root');
  expect((await inspect({ vcenter })).refusal).toMatchObject({ code: 'DOMAIN_EXISTS', message: 'There is one.' });
});

it('does not look into a VM on vCenter, and judges by what vCenter says', async () => {
  const looks: unknown[] = [];
  await work({
    describe: () => ({
      ...machine('web-01'),
      power_state: 'poweredOn',
      guest_id: 'windows2022srv_64Guest',
      nics: [{ label: 'NIC 1', type: 'vmxnet3', network: 'VM Network' }],
      disks: [{ index: 1, name: 'web-01.vmdk', capacity_bytes: 900e9, used_bytes: 450e9 }],
    }),
    local: () => {
      looks.push('local');
      return { disks: [] };
    },
    inspecting: () => {
      looks.push('inspect');
      return inspection();
    },
  });
  const seen = await inspect({ vcenter });
  expect(looks).toEqual([]);
  expect(seen).toMatchObject({ inspection: null, refusal: null, estimate: { space_bytes: 450e9, free_bytes: 400e9 } });
  expect(seen.not_inspected).toContain('after their export');
  expect(seen.concerns.map(({ code }) => code)).toEqual(['SPACE', 'SOURCE_RUNNING', 'NETWORK_UNMAPPED']);
  const mapped = await inspect({ vcenter }, { network_map: [{ from: 'VM Network', to: 'br0' }], source_power: 'off' });
  expect(mapped.concerns.map(({ code }) => code)).toEqual(['SPACE']);
});

it('says what could not be looked into', async () => {
  const compressed = 'disk1.vmdk.gz is compressed';
  await work({ local: () => ({ disks: [], unreadable: compressed }) });
  expect(await inspect(disks)).toMatchObject({ not_inspected: compressed, inspection: null, refusal: null });
  await stopWorkers();
  await work({}, ['exporter']);
  expect((await inspect(disks)).not_inspected).toContain('no converter is running');
  expect(await client.refused(ask(disks, { to_libvirt: true }))).toMatchObject({ code: 'NO_WORKER' });
});

it('passes errors on that are none of the guest', async () => {
  await work({
    inspecting: () => {
      throw new JobError('CHILD_FAILED', 'The appliance did not start.');
    },
  });
  expect(await client.refused(ask(disks))).toMatchObject({ code: 'CHILD_FAILED', status: 500 });
  expect(await client.refused(ask({ ...disks, vcenter }))).toMatchObject({ code: 'BAD_REQUEST' });
  expect(await client.refused(ask(disks, { target: 'kvm-1' }))).toMatchObject({ code: 'BAD_REQUEST' });
});

it('estimates from what jobs took, and names the job that has the VM already', async () => {
  const [open, gate] = [new Gate(), new Gate()];
  open.open();
  let at = open;
  await work({ exporting: () => at.passed(), describe: ({ vm_name }) => machine(vm_name, 'one-uuid') });
  await client.reaches(await client.convert('web-01'), 'completed');
  const { estimate } = await inspect({ vcenter });
  expect(estimate.export_seconds).toBeCloseTo(445);
  expect(estimate.conversion_seconds).toBe(272);
  at = gate;
  const running = await client.convert('web-01');
  await client.reaches(running, 'exporting');
  expect((await inspect({ vcenter })).refusal).toMatchObject({
    code: 'VM_BUSY',
    message: expect.stringContaining(running),
  });
  gate.open();
  await client.reaches(running, 'completed');
});
