import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobDetail } from '@hyper2kvm/contracts';
import { completed, inventoryVm, job, JOB_ID } from '../support/cli-samples.js';
import { endStream, refuse, Served } from './cli-served.js';
import { hyperctl, json, type StandIn } from './cli-standin.js';

// The gateway here is a stand-in: what is tested is hyperctl, as a process, against the wire of the contracts.
const gateway = new Served();
afterEach(() => gateway.stop());

const accepted = (vm: string): object => ({
  job_id: JOB_ID,
  status: 'started',
  vm_name: vm,
  disks: [{ name: 'disk1', size_gb: 100, capacity_bytes: 100e9, status: 'queued' }],
  created_at: '2026-01-17T10:00:00Z',
  estimated_duration: null,
});

const broken = (status: 'queued' | 'completed'): JobDetail =>
  job({ status: 'failed', error: 'it broke', cleanup: { status, message: null, next_try_at: null } });

describe('hyperctl convert', () => {
  it('moves files: relative paths become absolute, several disks after one flag, no password goes with them', async () => {
    await gateway.serve((_call, response) => json(response, 202, accepted('web')));
    const folder = realpathSync(tmpdir());
    const env = { HYPER2KVM_URL: gateway.url, VSPHERE_PASSWORD: 'geheim', VSPHERE_SERVER: 'vc' };
    const disks = ['--disk', 'root.vmdk', '../data.raw', '--format', 'vmdk', 'raw', '--disk', '/srv/logs.img'];
    const more = ['--format', 'raw', '--name', 'web', '--cpus', '4', '--memory', '8G', '--firmware', 'efi', '--detach'];
    const started = await hyperctl(['convert', ...disks, ...more, '--bandwidth', '200M'], env, { cwd: folder });
    expect(started.exitCode, String(started.stderr)).toBe(0);
    expect(gateway.requests[0]?.body).toEqual({
      vm_name: 'web',
      vcenter: {},
      source: {
        kind: 'disks',
        disks: [
          { path: path.join(folder, 'root.vmdk'), format: 'vmdk' },
          { path: path.resolve(folder, '../data.raw'), format: 'raw' },
          { path: '/srv/logs.img', format: 'raw' },
        ],
        cpus: 4,
        memory_bytes: 8 * 1024 ** 3,
        firmware: 'efi',
      },
      options: { bandwidth_bytes_per_second: 200_000_000 },
    });
  });

  it('moves an OVA, named after its file, and speaks of it to the end', async () => {
    await gateway.serve((call, response) => {
      if (call === 'POST /api/v1/convert') return json(response, 202, accepted('Web Server'));
      endStream(response, completed({ vcenter_server: 'local', vm_name: 'Web Server' }));
    });
    const moved = await gateway.run('convert', '--ova', '/srv/Web Server.ova', '--checksum', `sha1:${'A'.repeat(40)}`);
    expect(moved.exitCode, String(moved.stderr)).toBe(0);
    expect(gateway.requests[0]?.body).toMatchObject({
      vm_name: 'Web Server',
      source: { kind: 'ova', path: '/srv/Web Server.ova', checksum: `sha1:${'A'.repeat(40)}` },
    });
    expect(moved.stdout).toContain('Phase 1: Reading the files');
    expect(moved.stdout).toContain('Source VM:     Web Server (OVA Web Server.ova)');
    expect(moved.stdout).not.toContain('vSphere');
  });

  it('asks for a transport, and for the source to be stopped; a script is not asked back', async () => {
    await gateway.serve((_call, response) => json(response, 202, accepted('db')));
    const flags = ['--transport', 'datastore', '--source-power', 'shutdown', '--detach'];
    const started = await gateway.run('convert', '--vm', 'vm-1042', ...flags);
    expect(started.exitCode, String(started.stderr)).toBe(0);
    expect(gateway.requests[0]?.body).toMatchObject({
      vm_name: 'vm-1042',
      options: { transport: 'datastore', source_power: 'shutdown' },
    });
  });

  it.each([
    [['--disk', 'a.vmdk'], 'needs a name for the VM'],
    [['--vm', 'a', '--ova', 'b.ova'], '--vm and --ova do not go together'],
    [['--ova', 'b.ova', '--memory', '4G'], '--memory has no meaning with --ova'],
    [['--vm', 'a', '--bandwidth', '10Mbit'], '--bandwidth: "10Mbit" is no rate'],
    [['--disk', 'a.vmdk', '--name', 'x', '--checksum', 'crc:1'], '--checksum'],
    [['--vm', 'a', '--source-power', 'on'], '--source-power'],
  ])('refuses %j before anything is sent', async (flags, message) => {
    await gateway.serve((_call, response) => json(response, 500, {}));
    const refused = await gateway.run('convert', ...flags);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(gateway.calls).toEqual([]);
  });

  it('waits for the removal of what a failed export left', async () => {
    let looks = 0;
    await gateway.serve((call, response) => {
      if (call === 'POST /api/v1/convert') return json(response, 202, accepted('db'));
      if (call === 'GET $JOB') return json(response, 200, broken((looks += 1) < 2 ? 'queued' : 'completed'));
      endStream(response, broken('queued'));
    });
    const failed = await gateway.run('convert', '--vm', 'db');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toMatch(/Phase 5: Cleanup\n.*Cleanup complete\n[\s\S]*Conversion Failed/);
    expect(looks).toBe(2);
  });
});

describe('hyperctl vms', () => {
  const TOTAL = 1203;
  const pages = (): Promise<StandIn> =>
    gateway.serve((_call, response, body) => {
      const from = Number((body as { cursor?: string }).cursor ?? 0);
      const count = Math.min(500, TOTAL - from);
      const vms = Array.from({ length: count }, (_, index) => inventoryVm(from + index + 1));
      json(response, 200, { vms, total: TOTAL, next_cursor: from + count < TOTAL ? String(from + count) : null });
    });

  it('lists every page, and sends the conditions with each', async () => {
    await pages();
    const conditions = ['--name', 'web-*', '--folder', '/DC1/vm/web', '--power', 'off', '--templates'];
    const tags = ['--tag', 'stage:production', '--tag', 'tier'];
    const listed = await gateway.run('vms', '--vcenter', 'vc', '--username', 'u', ...conditions, ...tags);
    expect(listed.exitCode, String(listed.stderr)).toBe(0);
    const lines = String(listed.stdout).split('\n');
    expect(lines).toHaveLength(1 + TOTAL);
    expect(lines[0]).toMatch(/^NAME +POWER +DISKS +SIZE +USED +GUEST +ID +FOLDER$/);
    expect(lines.at(-1)).toMatch(/^web-1203 +off +2 +171\.8 GB +64\.4 GB +Debian.* vm-2203 +\/DC1\/vm\/web$/);
    const filter = {
      name: 'web-*',
      folder: '/DC1/vm/web',
      power_state: 'poweredOff',
      tags: ['stage:production', 'tier'],
      templates: true,
    };
    const body = { vcenter: { server: 'vc', username: 'u' }, filter, limit: 500 };
    expect(gateway.requests.map((request) => request.body)).toEqual([
      body,
      { ...body, cursor: '500' },
      { ...body, cursor: '1000' },
    ]);
  });

  it('gives inventory paths alone with --quiet, one document with --json', async () => {
    await pages();
    const paths = String((await gateway.run('vms', '--quiet')).stdout).split('\n');
    expect([paths.length, paths[0], paths.at(-1)]).toEqual([TOTAL, '/DC1/vm/web/web-1', '/DC1/vm/web/web-1203']);
    const document = JSON.parse(String((await gateway.run('vms', '--json')).stdout)) as {
      total: number;
      vms: unknown[];
    };
    expect([document.total, document.vms.length, document.vms[0]]).toEqual([TOTAL, TOTAL, inventoryVm(1)]);
  });

  it('ends when its reader has gone, however long the list is', async () => {
    const vms = Array.from({ length: 500 }, (_, index) => inventoryVm(index));
    await gateway.serve((_call, response) => json(response, 200, { vms, total: 1e9, next_cursor: 'more' }));
    const listing = gateway.run('vms');
    const { stdout } = listing as unknown as ChildProcess;
    stdout?.once('data', () => stdout.destroy());
    const listed = await listing;
    expect([listed.exitCode, listed.stderr]).toEqual([0, '']);
  });

  it('says that there are none, and what is wrong', async () => {
    await gateway.serve((_call, response) => json(response, 200, { vms: [], total: 0, next_cursor: null }));
    expect([(await gateway.run('vms')).stdout, (await gateway.run('vms', '--quiet')).stdout]).toEqual(['No VMs.', '']);
    await gateway.serve((_call, response) => refuse(response, 401, 'VCENTER_LOGIN'));
    const denied = await gateway.run('vms');
    expect([denied.exitCode, denied.stderr]).toEqual([5, expect.stringContaining('VCENTER_LOGIN')]);
    expect((await gateway.run('vms', '--power', 'maybe')).exitCode).toBe(2);
  });
});
