// hyperctl inspect and import, and what convert sends of the conversion, as a process against a stand-in for the gateway.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Import } from '@hyper2kvm/contracts';
import { completed, importOf, inspected, JOB_ID } from '../support/cli-samples.js';
import { refuse, Served } from './cli-served.js';
import { hyperctl, json, type StandIn } from './cli-standin.js';

const gateway = new Served();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-cli-'));
});
afterEach(() => gateway.stop());
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const DISKS = ['--disk', '/images/root.vmdk', '--name', 'web-01'];
const body = (): unknown => gateway.requests[0]?.body;

describe('hyperctl convert', () => {
  it('sends what is to be done with the guest, and its keys by no argument', async () => {
    await gateway.serve((_call, response) =>
      json(response, 202, {
        job_id: JOB_ID,
        status: 'started',
        vm_name: 'web-01',
        disks: [],
        created_at: '2026-01-17T10:00:00Z',
        estimated_duration: null,
        concerns: inspected().concerns,
      }),
    );
    const key = path.join(folder, 'key');
    await writeFile(key, 'correct horse\n', { mode: 0o644 });
    const guest = ['--engine', 'native', '--root', '/dev/sda2', '--keep-vmware-tools', '--serial-console'];
    const result = ['--output-format', 'raw', '--map-network', 'VM Network=br0', '--target', 'kvm1', '--start'];
    const seed = ['--skip-network-fix', '--no-fix-fstab', '--no-fix-grub', '--luks-key', `/dev/sda3=${key}`];
    const env = { HYPER2KVM_URL: gateway.url, HYPER2KVM_LUKS_KEY: 'staple' };
    const run = await hyperctl(['convert', ...DISKS, ...guest, ...result, ...seed, '--detach'], env);
    expect(run.exitCode, String(run.stderr)).toBe(0);
    expect(run.stderr).toBe(`Warning: ${key} can be read by others: chmod 600 ${key}`);
    expect(run.stdout).toContain('warning: The VM has a virtual TPM. (TPM_BLANK)');
    expect(body()).toEqual({
      vm_name: 'web-01',
      vcenter: {},
      source: { kind: 'disks', disks: [{ path: '/images/root.vmdk' }] },
      options: {
        fix_network: false,
        fix_fstab: false,
        fix_grub: false,
        engine: 'native',
        root: '/dev/sda2',
        keep_vmware_tools: true,
        serial_console: true,
        output_format: 'raw',
        network_map: [{ from: 'VM Network', to: 'br0' }],
        target: 'kvm1',
        start: true,
      },
      luks_keys: [
        { device: '/dev/sda3', key_base64: Buffer.from('correct horse').toString('base64') },
        { key_base64: Buffer.from('staple').toString('base64') },
      ],
    });
  });

  it('starts nothing where flags do not fit', async () => {
    await gateway.serve((_call, response) => refuse(response, 500, 'INTERNAL'));
    for (const flags of [['--start'], ['--luks-key', '/nowhere'], ['--root', 'sda1'], ['--map-network', 'x']]) {
      const run = await gateway.run('convert', ...DISKS, ...flags);
      expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining(flags[0] ?? '')]);
    }
    expect(gateway.requests).toEqual([]);
  });
});

describe('hyperctl inspect', () => {
  it('tells what it is and what would be done, and ends with 0', async () => {
    await gateway.serve((_call, response) => json(response, 200, inspected()));
    const run = await gateway.run('inspect', ...DISKS, '--diff', '--no-os');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toContain('Guest OS:      Debian GNU/Linux 12 (bookworm) (x86_64, systemd)');
    expect(run.stdout).toContain('      +UUID=abc / ext4 defaults 0 1');
    expect(run.stdout).not.toContain('\u001b');
    expect(gateway.calls).toEqual(['POST /api/v1/inspect']);
    expect(body()).toMatchObject({ vm_name: 'web-01', options: { no_os: true } });
    const asJson = await gateway.run('inspect', ...DISKS, '--json');
    expect(JSON.parse(String(asJson.stdout))).toEqual(inspected());
  });

  it('ends with 1 where a conversion would be refused, and says why', async () => {
    const refusal = { code: 'GUEST_NO_OS', message: 'There is none.', advice: 'Try --no-os.' };
    const seen = inspected({ inspection: null, not_inspected: 'There is none.', refusal });
    await gateway.serve((_call, response) => json(response, 200, seen));
    const run = await gateway.run('inspect', ...DISKS);
    expect([run.exitCode, run.stdout]).toEqual([1, expect.stringContaining('❌ It would be refused: There is none.')]);
    const quiet = await gateway.run('inspect', ...DISKS, '--quiet');
    expect([quiet.exitCode, quiet.stdout, quiet.stderr]).toEqual([1, '', 'Error: There is none. (GUEST_NO_OS)']);
    const asJson = await gateway.run('inspect', ...DISKS, '--json');
    expect([asJson.exitCode, JSON.parse(String(asJson.stdout))]).toEqual([1, seen]);
  });

  it('sends the password of a vCenter, and passes refusals on', async () => {
    await gateway.serve((_call, response) => refuse(response, 404, 'VM_NOT_FOUND'));
    const env = { HYPER2KVM_URL: gateway.url, VSPHERE_PASSWORD: 'geheim' };
    const run = await hyperctl(['inspect', '--vm', 'db', '--vcenter', 'vc', '--username', 'u'], env);
    expect(run.exitCode).toBe(4);
    expect(body()).toMatchObject({ vcenter: { server: 'vc', username: 'u', password: 'geheim' } });
  });

  it('is left by Ctrl-C', async () => {
    await gateway.serve(() => {});
    const running = gateway.run('inspect', ...DISKS);
    await expect.poll(() => gateway.calls.length, { timeout: 20_000 }).toBe(1);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
  });
});

describe('hyperctl import', () => {
  const queued = importOf({ status: 'queued', report: null });
  /** Queued, then in progress, then `end`. */
  const ends = (end: Import): Promise<StandIn> => {
    let looks = 0;
    return gateway.serve((call, response) => {
      if (call === 'POST $JOB/import') return json(response, 202, queued);
      looks += 1;
      json(response, 200, completed({ import: looks > 1 ? end : { ...queued, status: 'in_progress' } }));
    });
  };

  it('waits for the end and says how to start what was defined', async () => {
    await ends(importOf());
    const run = await gateway.run('import', '--job', JOB_ID, '--target', 'kvm1');
    expect([run.exitCode, run.stdout]).toEqual([
      0,
      '✅ production-db is defined (qemu:///system)\nStart it: virsh --connect qemu:///system start production-db',
    ]);
    expect(gateway.calls).toEqual(['POST /api/v1/jobs/ID/import', 'GET /api/v1/jobs/ID', 'GET /api/v1/jobs/ID']);
    expect(body()).toEqual({ target: 'kvm1' });
  });

  it('says what is started, and what was there before', async () => {
    const report = { ...importOf().report, libvirt_uri: 'qemu+ssh://root@kvm1/system', defined: false, started: true };
    await ends(importOf({ report: { ...report, concerns: ['No bridge br0.'] } as Import['report'] }));
    const run = await gateway.run('import', '--job', JOB_ID, '--start');
    expect(run.stdout).toBe(
      '✅ production-db was defined before, and is as it should be (qemu+ssh://root@kvm1/system) and started\n⚠️  No bridge br0.',
    );
    expect(body()).toEqual({ start: true });
    await ends(importOf());
    const asJson = await gateway.run('import', '--job', JOB_ID, '--json');
    expect(JSON.parse(String(asJson.stdout))).toEqual(importOf());
    const detached = await gateway.run('import', '--job', JOB_ID, '--detach', '--json');
    expect(JSON.parse(String(detached.stdout))).toEqual(queued);
  });

  it('ends with 1 and says why when it could not be done', async () => {
    const failure = {
      code: 'DOMAIN_EXISTS',
      message: 'There is a production-db already.',
      advice: 'Rename it.',
      retryable: false,
    } as const;
    await ends(importOf({ status: 'failed', report: null, failure }));
    const run = await gateway.run('import', '--job', JOB_ID);
    expect([run.exitCode, run.stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: There is a production-db already\.\n {2}try: {3}Rename it\./),
    ]);
    await gateway.serve((_call, response) => refuse(response, 409, 'STATE_CONFLICT'));
    expect((await gateway.run('import', '--job', JOB_ID)).exitCode).toBe(1);
  });
});
