/** What is asked of vCenter before an export, and how its refusals are told. */
import { createServer } from 'node:net';
import { describe as describeVm, VimSession } from '@hyper2kvm/exporter';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { endpointOf } from './export-setup.js';
import { ask, failure, withSession } from './vcenter-asking.js';

const GIB = 2 ** 30;
let vcsim: Vcsim;

beforeAll(async () => {
  vcsim = await startVcsim({
    password: 'a wrong one would be shorter!',
    vms: [
      {
        name: 'production-db',
        uuid: '420a1c2e-7d3b-4c55-9f00-0123456789ab',
        instance_uuid: '500a1c2e-7d3b-4c55-9f00-0123456789ab',
        cpus: 4,
        memory_mb: 3072,
        firmware: 'efi',
        controller: 'pvscsi',
        nics: [
          { mac: '00:50:56:AB:CD:01', pci_slot: 192 },
          { mac: '00:50:56:ab:cd:02', pci_slot: 224, type: 'e1000' },
        ],
        disks: [{ capacity_bytes: 3 * GIB, used_bytes: GIB }, { capacity_bytes: GIB + 512 }],
      },
      { name: 'with-tpm', tpm: true, tools: 'running', power_state: 'poweredOn', disks: [{ capacity_bytes: GIB }] },
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
});

describe('describing a VM', () => {
  test('reads all that the libvirt domain is made from', async () => {
    const { machine } = await ask(vcsim, 'production-db');
    expect(machine).toMatchObject({
      name: 'production-db',
      instance_uuid: '500a1c2e-7d3b-4c55-9f00-0123456789ab',
      bios_uuid: '420a1c2e-7d3b-4c55-9f00-0123456789ab',
      cpus: 4,
      memory_bytes: 3 * GIB,
      firmware: 'efi',
      power_state: 'poweredOff',
      guest_id: 'debian12_64Guest',
      inventory_path: '/DC0/vm/production-db',
      datacenter: 'DC0',
    });
    expect(machine.host).toBeTruthy();
    expect(machine.disks).toMatchObject([
      { index: 1, name: 'production-db.vmdk', capacity_bytes: 3 * GIB },
      { index: 2, name: 'production-db_1.vmdk', capacity_bytes: GIB + 512 },
    ]);
    expect(machine.disks[0]?.controller).toMatch(/^ParaVirtualSCSIController/);
    expect(machine.nics).toMatchObject([
      { type: 'vmxnet3', mac: '00:50:56:ab:cd:01', pci_slot: 192 },
      { type: 'e1000', mac: '00:50:56:ab:cd:02', pci_slot: 224 },
    ]);
  });

  test('tells what the disks take up, and what changes with the configuration', async () => {
    const { machine, changeVersion, hasTpm, quiesce, consolidationNeeded } = await ask(vcsim, 'production-db');
    // The descriptor counts, too.
    expect(machine.disks.map(({ used_bytes }) => used_bytes)).toEqual([GIB + 512, 512]);
    expect(changeVersion).toMatch(/./);
    expect({ hasTpm, quiesce, consolidationNeeded, tpm: machine.tpm }).toEqual({
      hasTpm: false,
      quiesce: false,
      consolidationNeeded: false,
      tpm: undefined,
    });
    await vcsim.change({ vm: { name: 'production-db', consolidation_needed: true } });
    expect((await ask(vcsim, 'production-db')).consolidationNeeded).toBe(true);
  });

  test('sees a virtual TPM, and that the guest can be asked to rest', async () => {
    const { machine, hasTpm, quiesce } = await ask(vcsim, 'with-tpm');
    expect([machine.tpm, hasTpm, quiesce]).toEqual([true, true, true]);
  });

  test('finds it by inventory path and by managed object id too', async () => {
    const { vm } = await ask(vcsim, 'production-db');
    expect((await ask(vcsim, '/DC0/vm/production-db')).vm).toEqual(vm);
    expect((await ask(vcsim, 'DC0/vm/production-db')).vm).toEqual(vm);
    expect((await ask(vcsim, vm.id)).vm).toEqual(vm);
    expect((await ask(vcsim, 'production-db', { datacenter: 'DC0' })).vm).toEqual(vm);
  });

  test('an unknown VM is named', async () => {
    expect(await failure(ask(vcsim, 'no-such-vm'), 'VM_NOT_FOUND')).toContain('"no-such-vm"');
    await failure(ask(vcsim, '/DC0/vm/no-such-vm'), 'VM_NOT_FOUND');
    await failure(ask(vcsim, 'vm-999999'), 'VM_NOT_FOUND');
    expect(await failure(ask(vcsim, 'production-db', { datacenter: 'DC9' }), 'VM_NOT_FOUND')).toContain('it has: DC0');
  });
});

describe('VMs of one name', () => {
  test('are an error that lists all paths; path, id and datacenter tell them apart', async () => {
    const disks = [{ capacity_bytes: 2 ** 20 }];
    const many = await startVcsim({
      vms: [
        { name: 'web', disks },
        { name: 'web', folder: 'old/2019', disks },
        { name: 'web', datacenter: 'DC1', disks },
        { name: 'only-there', datacenter: 'DC1', folder: 'old', disks },
      ],
    });
    try {
      const message = await failure(ask(many, 'web'), 'VM_AMBIGUOUS');
      expect(message).toMatch(
        /^3 VMs .*: \/DC0\/vm\/old\/2019\/web \((vm-\d+)\), \/DC0\/vm\/web \((vm-\d+)\), \/DC1\/vm\/web \((vm-\d+)\)$/,
      );
      const [old, , third] = [...message.matchAll(/vm-\d+/g)].map(([id]) => id);
      expect((await ask(many, '/DC0/vm/old/2019/web')).vm.id).toBe(old);
      expect((await ask(many, String(third))).machine.inventory_path).toBe('/DC1/vm/web');

      expect((await ask(many, 'web', { datacenter: 'DC1' })).vm.id).toBe(third);
      expect(await failure(ask(many, 'web', { datacenter: 'DC0' }), 'VM_AMBIGUOUS')).not.toContain('DC1');
      // With a datacenter a path may be the part beneath its VM folder; one into another datacenter is a mistake.
      expect((await ask(many, 'old/2019/web', { datacenter: 'DC0' })).vm.id).toBe(old);
      await failure(ask(many, '/DC1/vm/web', { datacenter: 'DC0' }), 'VM_NOT_FOUND');
      expect((await ask(many, 'only-there')).machine.datacenter).toBe('DC1');
    } finally {
      await many.stop();
    }
  });
});

describe('what an export cannot read', () => {
  const GOOD = { capacity_bytes: 2 ** 20 };
  const REFUSED = [
    ['independent', { mode: 'independent_persistent' }, 'is independent (independent_persistent), so no snapshot'],
    ['physical-rdm', { rdm: 'physicalMode' }, 'is a raw device mapping in physical mode'],
    ['virtual-rdm', { rdm: 'virtualMode' }, 'is a raw device mapping in virtual mode'],
    ['multi-writer', { sharing: 'sharingMultiWriter' }, 'is shared between VMs (multi-writer)'],
    ['encrypted', { key_id: 'key-1' }, 'is encrypted'],
  ] as const;

  test('is refused with the disk and the reason, before anything is asked of the VM', async () => {
    const odd = await startVcsim({
      vms: [
        ...REFUSED.map(([name, change]) => ({ name, disks: [GOOD, { ...GOOD, name: 'data.vmdk', ...change }] })),
        {
          name: 'two-reasons',
          disks: [
            { ...GOOD, mode: 'independent_nonpersistent' },
            { ...GOOD, key_id: 'k' },
          ],
        },
        { name: 'template', template: true, disks: [GOOD] },
        { name: 'diskless', disks: [] },
      ],
    });
    try {
      for (const [name, , reason] of REFUSED)
        expect(await failure(ask(odd, name), 'VM_UNSUPPORTED')).toContain(
          `VM "${name}" cannot be exported: disk 2 (data.vmdk) ${reason}`,
        );
      const both = await failure(ask(odd, 'two-reasons'), 'VM_UNSUPPORTED');
      expect(both).toMatch(/disk 1 \(two-reasons.vmdk\) is independent.*; disk 2 \(two-reasons_1.vmdk\) is encrypted/);
      expect(await failure(ask(odd, 'template'), 'VM_UNSUPPORTED')).toContain('it is a template');
      expect(await failure(ask(odd, 'diskless'), 'VM_UNSUPPORTED')).toContain('it has no disks');
      const { calls } = await odd.control();
      expect([calls.CreateSnapshot_Task, calls.ExportSnapshot]).toEqual([undefined, undefined]);
    } finally {
      await odd.stop();
    }
  });
});

describe('a login', () => {
  test('with a wrong password is refused, and the password is nowhere in the error', async () => {
    const error: unknown = await ask(vcsim, 'production-db', { password: 'sesame-4711' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'VCENTER_LOGIN', retryable: false });
    const seen = new Set<unknown>();
    const leak = (value: unknown, path: string): string | undefined => {
      if (typeof value === 'string') return value.includes('sesame-4711') ? path : undefined;
      if (typeof value !== 'object' || value === null || seen.has(value)) return undefined;
      seen.add(value);
      for (const key of Reflect.ownKeys(value)) {
        const found = leak((value as Record<PropertyKey, unknown>)[key], `${path}.${String(key)}`);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    expect(leak(error, 'error')).toBeUndefined();
  });

  test('leaves no password in the SOAP client', async () => {
    const session = await VimSession.login(endpointOf(vcsim));
    const { connection } = session as unknown as { connection: { client: Record<string, unknown> } };
    const { client } = connection;
    expect(
      Object.values(client).filter((value) => typeof value === 'string' && value.includes(vcsim.password)),
    ).toEqual([]);
    await session.close();
  });

  // A fast one is over when the next call learns of it; with a slow one, all learn of it while it is renewed.
  test.each([0, 0.5])('is renewed once for all calls that need it, within %f s', async (seconds) => {
    await withSession(vcsim, async (session) => {
      const before = (await vcsim.control()).calls.Login ?? 0;
      const settings = { login_delay_seconds: seconds };
      expect((await vcsim.change({ settings, drop_sessions: true })).sessions).toBe(0);
      const asked = Array.from({ length: 8 }, async () => describeVm(session, { vmName: 'production-db' }));
      for (const { machine } of await Promise.all(asked)) expect(machine.name).toBe('production-db');
      const { calls, sessions } = await vcsim.change({ settings: { login_delay_seconds: 0 } });
      expect([calls.Login, sessions]).toEqual([before + 1, 1]);
    });
  });

  test('where nobody listens says so', async () => {
    const server = `127.0.0.1:${await freePort()}`;
    expect(await failure(ask(vcsim, 'x', { server }), 'VCENTER_UNREACHABLE')).toContain(server);
    await failure(ask(vcsim, 'x', { server: 'no-such-host.invalid' }), 'VCENTER_UNREACHABLE');
  });

  test('where somebody listens and says nothing ends by itself', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as { port: number };
    try {
      await failure(ask(vcsim, 'x', { server: `127.0.0.1:${port}` }), 'VCENTER_UNREACHABLE');
    } finally {
      silent.close();
    }
  }, 20_000);
});

describe('the certificate', () => {
  test('of an unknown CA is refused, with the fingerprint to pin', async () => {
    const message = await failure(
      ask(vcsim, 'production-db', { trust: { fingerprints: [], insecure: false } }),
      'VCENTER_TLS',
    );
    expect(message.toLowerCase()).toContain(vcsim.thumbprint.toLowerCase());
  });

  test('other than the pinned one is refused before the login', async () => {
    const before = (await vcsim.control()).calls.Login;
    await failure(
      ask(vcsim, 'production-db', { trust: { fingerprints: ['00'.repeat(32)], insecure: false } }),
      'VCENTER_TLS',
    );
    expect((await vcsim.control()).calls.Login).toBe(before);
  });

  test('is trusted by its CA, or not looked at by explicit choice', async () => {
    await ask(vcsim, 'production-db', { trust: { caPem: vcsim.certificate, fingerprints: [], insecure: false } });
    await ask(vcsim, 'production-db', { trust: { fingerprints: [], insecure: true } });
  });
});
