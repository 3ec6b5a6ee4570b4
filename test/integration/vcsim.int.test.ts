/** The simulated vCenter: what the product's tests rely on when they take it for a real one. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNoProcesses, processesMentioning } from '../support/processes.js';
import { collect, MinimalSoap, referenceIn } from '../support/soap.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';

const MIB = 1024 ** 2;
const CAPACITIES = [8 * MIB, 12 * MIB];
const MAC = '00:50:56:aa:bb:01';

let folder: string;
let vmdks: Buffer[];
let vcsim: Vcsim;

async function makeDisk(
  index: number,
  capacity: number,
): Promise<{ capacity_bytes: number; vmdk: string; flat: string }> {
  const flat = path.join(folder, `disk${index}.raw`);
  const vmdk = path.join(folder, `disk${index}.vmdk`);
  const content = Buffer.alloc(capacity);
  randomBytes(2 * MIB).copy(content, (index + 1) * MIB);
  await writeFile(flat, content);
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', flat, vmdk]);
  return { capacity_bytes: capacity, vmdk, flat };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-int-vcsim-'));
  const disks = await Promise.all(CAPACITIES.map((capacity, index) => makeDisk(index, capacity)));
  vmdks = await Promise.all(disks.map(({ vmdk }) => readFile(vmdk)));
  vcsim = await startVcsim({
    vms: [
      {
        name: 'two-disks',
        uuid: '42100000-0000-4000-8000-000000000001',
        instance_uuid: '50100000-0000-4000-8000-000000000001',
        cpus: 3,
        memory_mb: 1536,
        firmware: 'efi',
        power_state: 'poweredOn',
        nics: [{ mac: MAC, pci_slot: 192 }],
        disks,
      },
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function login(): Promise<MinimalSoap> {
  const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
  expect((await soap.login(vcsim.username, vcsim.password)).status).toBe(200);
  return soap;
}

async function findVm(soap: MinimalSoap): Promise<{ type: string; value: string }> {
  const inner = '<inventoryPath>/DC0/vm/two-disks</inventoryPath>';
  const searchIndex = { type: 'SearchIndex', value: 'SearchIndex' };
  return referenceIn(await soap.call('FindByInventoryPath', searchIndex, inner), 'VirtualMachine');
}

/** Snapshots the VM and opens its lease. */
async function exportVm(soap: MinimalSoap): Promise<{ snapshot: Ref; lease: Ref; urls: string[] }> {
  const inner = '<name>test</name><memory>false</memory><quiesce>false</quiesce>';
  const task = referenceIn(await soap.call('CreateSnapshot_Task', await findVm(soap), inner), 'Task');
  const snapshot = referenceIn(await soap.properties(task, 'info.result'), 'VirtualMachineSnapshot');
  const lease = referenceIn(await soap.call('ExportSnapshot', snapshot), 'HttpNfcLease');
  const { body } = await soap.properties(lease, 'state', 'info');
  return { snapshot, lease, urls: [...body.matchAll(/<url>([^<]+)<\/url>/g)].map(([, url]) => String(url)) };
}

type Ref = { type: string; value: string };

describe('the simulated vCenter', () => {
  it('refuses a wrong password with InvalidLogin, and answers nothing without a login', async () => {
    const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
    const refused = await soap.login(vcsim.username, `${vcsim.password}x`);
    expect(refused.status).toBe(500);
    expect(refused.body).toContain('InvalidLogin');
    const unknown = await soap.call('ExportSnapshot', { type: 'VirtualMachineSnapshot', value: 'snapshot-1' });
    expect(unknown.body).toContain('NotAuthenticated');
  });

  it('describes the VM as it was asked for', async () => {
    const soap = await login();
    const { body } = await soap.properties(await findVm(soap), 'config', 'runtime.powerState');
    expect(body).toContain('<firmware>efi</firmware>');
    expect(body).toContain('<uuid>42100000-0000-4000-8000-000000000001</uuid>');
    expect(body).toContain('<instanceUuid>50100000-0000-4000-8000-000000000001</instanceUuid>');
    expect(body).toContain('<numCPU>3</numCPU>');
    expect(body).toContain('<memoryMB>1536</memoryMB>');
    expect(body).toContain('poweredOn');
    expect(body).toContain(`<macAddress>${MAC}</macAddress>`);
    expect(body).toMatch(/<key>ethernet0.pciSlotNumber<\/key><value[^>]*>192</);
    expect(body).toContain('ParaVirtualSCSIController');
    expect([...body.matchAll(/<capacityInBytes>(\d+)</g)].map(([, bytes]) => Number(bytes))).toEqual(CAPACITIES);
  });

  it('hands out every disk of a snapshot in one lease, byte for byte, and keeps account', async () => {
    const soap = await login();
    const { snapshot, lease, urls } = await exportVm(soap);
    expect(urls).toHaveLength(2);
    expect((await vcsim.control()).snapshots).toEqual([{ vm: 'two-disks', name: 'test', ref: snapshot.value }]);

    const bodies = await Promise.all(urls.map((url) => soap.download(url)));
    for (const [index, body] of bodies.entries()) expect(body.equals(vmdks[index] ?? Buffer.alloc(0))).toBe(true);

    const open = await vcsim.control();
    expect(open.leases).toContainEqual({ ref: lease.value, vm: 'two-disks', state: 'ready' });
    for (const [index, url] of urls.entries()) {
      const expected = { path: new URL(url).pathname, requests: 1, heads: 0, bytes: vmdks[index]?.length };
      expect(open.downloads).toContainEqual(expected);
    }
    await soap.call('HttpNfcLeaseComplete', lease);
    await soap.call('RemoveSnapshot_Task', snapshot, '<removeChildren>false</removeChildren>');
    const closed = await vcsim.control();
    expect(closed.leases).toContainEqual({ ref: lease.value, vm: 'two-disks', state: 'completed' });
    expect(closed.snapshots).toEqual([]);
  });

  it('serves the flat extents by ranges', async () => {
    const soap = await login();
    const url = new URL('/folder/two-disks/two-disks_1-flat.vmdk?dcPath=DC0&dsName=LocalDS_0', vcsim.url).href;
    const flat = await readFile(path.join(folder, 'disk1.raw'));
    expect((await soap.download(url)).equals(flat)).toBe(true);
    const part = await soap.open(url, { Range: `bytes=${MIB}-${3 * MIB - 1}` });
    expect(part.statusCode).toBe(206);
    expect((await collect(part)).equals(flat.subarray(MIB, 3 * MIB))).toBe(true);
  });

  it('slows a download down, so that it can be met half-way, and lets it go again', async () => {
    const soap = await login();
    const { snapshot, lease, urls } = await exportVm(soap);
    const url = String(urls[0]);
    await vcsim.setNfcRate(256 * 1024);
    const response = await soap.open(url);
    await once(response, 'readable');
    const halfway = (await vcsim.control()).downloads.find((entry) => entry.path === new URL(url).pathname);
    expect(halfway?.bytes).toBeGreaterThan(0);
    expect(halfway?.bytes).toBeLessThan(Number(vmdks[0]?.length));
    await vcsim.setNfcRate(0);
    expect((await collect(response)).equals(vmdks[0] ?? Buffer.alloc(0))).toBe(true);
    await soap.call('HttpNfcLeaseAbort', lease);
    await soap.call('RemoveSnapshot_Task', snapshot, '<removeChildren>false</removeChildren>');
    expect((await vcsim.control()).leases.at(-1)).toEqual({ ref: lease.value, vm: 'two-disks', state: 'aborted' });
  });

  it('asks for a login at /folder, by cookie or by password, and counts what it is asked', async () => {
    const soap = await login();
    const path_ = '/folder/two-disks/two-disks-flat.vmdk';
    const url = new URL(`${path_}?dcPath=DC0&dsName=LocalDS_0`, vcsim.url).href;
    const stranger = new MinimalSoap(vcsim.url, vcsim.certificate);
    const status = async (client: MinimalSoap, headers: Record<string, string> = {}): Promise<number | undefined> => {
      const response = await client.open(url, { Range: 'bytes=0-9', ...headers });
      response.resume();
      return response.statusCode;
    };
    const basic = (password: string) => ({
      Authorization: `Basic ${Buffer.from(`${vcsim.username}:${password}`).toString('base64')}`,
    });
    expect(await status(stranger)).toBe(401);
    expect(await status(stranger, { Cookie: 'vmware_soap_session=none' })).toBe(401);
    expect(await status(stranger, basic('wrong'))).toBe(401);
    expect(await status(stranger, basic(vcsim.password))).toBe(206);
    expect(await status(soap)).toBe(206);
    const counted = (await vcsim.control()).downloads.find((entry) => entry.path === path_);
    expect(counted).toEqual({ path: path_, requests: 2, heads: 0, bytes: 20 });

    await vcsim.change({ drop_sessions: true });
    expect(await status(soap)).toBe(401);
    expect((await soap.properties({ type: 'Folder', value: 'group-d1' }, 'name')).body).toContain('NotAuthenticated');
    await vcsim.change({ settings: { folder_auth: false } });
    expect(await status(stranger)).toBe(206);
    await vcsim.change({ settings: { folder_auth: true } });
  });

  it('slows /folder down, and puts another file in its place', async () => {
    const soap = await login();
    const url = new URL('/folder/two-disks/two-disks_1-flat.vmdk?dcPath=DC0&dsName=LocalDS_0', vcsim.url).href;
    await vcsim.change({ settings: { folder_bytes_per_second: 256 * 1024 } });
    const response = await soap.open(url);
    await once(response, 'readable');
    expect((await vcsim.control()).downloads.at(-1)?.bytes).toBeLessThan(CAPACITIES[1] ?? 0);
    await vcsim.change({ settings: { folder_bytes_per_second: 0 } });
    expect((await collect(response)).length).toBe(CAPACITIES[1]);

    const other = path.join(folder, 'disk0.raw');
    await vcsim.change({ file: { path: 'two-disks/two-disks_1-flat.vmdk', with: other } });
    expect((await soap.download(url)).equals(await readFile(other))).toBe(true);
    await vcsim.change({ file: { path: 'two-disks/two-disks_1-flat.vmdk', with: path.join(folder, 'disk1.raw') } });
  });

  it('answers with a fault as often as it is told to', async () => {
    const soap = await login();
    await vcsim.change({ fail: { method: 'FindByInventoryPath', fault: 'TaskInProgress', times: 2 } });
    const index = { type: 'SearchIndex', value: 'SearchIndex' };
    for (const faulty of [true, true, false])
      expect(
        (await soap.call('FindByInventoryPath', index, '<inventoryPath>/x</inventoryPath>')).body.includes(
          'TaskInProgress',
        ),
      ).toBe(faulty);
    await expect(vcsim.change({ vm: { name: 'nobody' } })).rejects.toThrow('no VM is named');
  });

  it('ends with the process that started it, also when that is killed', async () => {
    const marker = `hyper2kvm-orphan-${process.pid}-${Date.now()}`;
    // A stand-in for a test that dies: it holds the other end of the simulator's standard input.
    const script = [
      "const { spawn } = require('node:child_process');",
      "const child = spawn(process.argv[1], ['-username', process.argv[2]], { stdio: ['pipe', 'pipe', 'ignore'] });",
      "child.stdout.once('data', () => process.stdout.write('ready'));",
    ].join('\n');
    const { command } = (await processesMentioning(path.basename(path.dirname(folder)))).find(
      ({ pid }) => pid === vcsim.pid,
    ) ?? { command: '' };
    const holder = execa(process.execPath, ['-e', script, command.split(' ')[0] ?? '', marker], {
      reject: false,
      buffer: false,
      env: { VCSIM_PASSWORD: 'x' },
    });
    try {
      await once(holder.stdout, 'data');
      expect(await processesMentioning(marker)).toHaveLength(2);
      holder.kill('SIGKILL');
      await holder;
      await expectNoProcesses(marker);
    } finally {
      for (const { pid } of await processesMentioning(marker)) process.kill(pid, 'SIGKILL');
    }
  });
});
