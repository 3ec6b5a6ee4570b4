/** What is asked of vCenter before an export, and how its refusals are told. */
import { createServer } from 'node:net';
import { describe as describeVm, VimSession, type Endpoint } from '@hyper2kvm/exporter';
import { JobError, type ErrorCode } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/ports.js';
import { MinimalSoap, referenceIn } from '../support/soap.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { endpointOf } from './export-setup.js';

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
        disks: [{ capacity_bytes: 3 * GIB }, { capacity_bytes: GIB + 512 }],
      },
    ],
  });
});

afterAll(async () => {
  await vcsim?.stop();
});

async function ask(vmName: string, change: Partial<Endpoint> = {}): ReturnType<typeof describeVm> {
  const session = await VimSession.login(endpointOf(vcsim, change));
  try {
    return await describeVm(session, { vmName });
  } finally {
    await session.close();
  }
}

async function failure(asked: Promise<unknown>, code: ErrorCode): Promise<string> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`);
  expect(error.code).toBe(code);
  return error.message;
}

describe('describing a VM', () => {
  test('reads all that the libvirt domain is made from', async () => {
    const { machine } = await ask('production-db');
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

  test('finds it by inventory path and by managed object id too', async () => {
    const { vm } = await ask('production-db');
    expect((await ask('/DC0/vm/production-db')).vm).toEqual(vm);
    expect((await ask('DC0/vm/production-db')).vm).toEqual(vm);
    expect((await ask(vm.id)).vm).toEqual(vm);
    expect((await ask('production-db', { datacenter: 'DC0' })).vm).toEqual(vm);
  });

  test('an unknown VM is named', async () => {
    expect(await failure(ask('no-such-vm'), 'VM_NOT_FOUND')).toContain('"no-such-vm"');
    await failure(ask('/DC0/vm/no-such-vm'), 'VM_NOT_FOUND');
    await failure(ask('vm-999999'), 'VM_NOT_FOUND');
    expect(await failure(ask('production-db', { datacenter: 'DC9' }), 'VM_NOT_FOUND')).toContain('it has: DC0');
  });
});

describe('two VMs of one name', () => {
  test('are an error that lists both paths', async () => {
    const twice = await startVcsim({
      vms: ['web', 'web-2'].map((name) => ({ name, disks: [{ capacity_bytes: 2 ** 20 }] })),
    });
    try {
      // The second one gets its name in a folder of its own: within one folder names are unique.
      const soap = new MinimalSoap(twice.url, twice.certificate);
      await soap.login(twice.username, twice.password);
      const find = async (at: string, type: string) =>
        referenceIn(
          await soap.call(
            'FindByInventoryPath',
            { type: 'SearchIndex', value: 'SearchIndex' },
            `<inventoryPath>${at}</inventoryPath>`,
          ),
          type,
        );
      const folder = referenceIn(
        await soap.call('CreateFolder', await find('/DC0/vm', 'Folder'), '<name>old</name>'),
        'Folder',
      );
      const second = await find('/DC0/vm/web-2', 'VirtualMachine');
      await soap.call('MoveIntoFolder_Task', folder, `<list type="VirtualMachine">${second.value}</list>`);
      await soap.call('Rename_Task', second, '<newName>web</newName>');

      const session = await VimSession.login(endpointOf(twice));
      const message = await failure(describeVm(session, { vmName: 'web' }), 'VM_AMBIGUOUS');
      expect(message).toMatch(/\/DC0\/vm\/old\/web \(vm-\d+\), \/DC0\/vm\/web \(vm-\d+\)/);
      expect((await describeVm(session, { vmName: '/DC0/vm/old/web' })).vm.id).toBe(second.value);
      await session.close();
    } finally {
      await twice.stop();
    }
  });
});

describe('a login', () => {
  test('with a wrong password is refused, and the password is nowhere in the error', async () => {
    const error: unknown = await ask('production-db', { password: 'sesame-4711' }).catch((thrown: unknown) => thrown);
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
    const { client } = session as unknown as { client: Record<string, unknown> };
    expect(
      Object.values(client).filter((value) => typeof value === 'string' && value.includes(vcsim.password)),
    ).toEqual([]);
    await session.close();
  });

  test('is renewed when vCenter has ended the session', async () => {
    const session = await VimSession.login(endpointOf(vcsim));
    const { http } = session as unknown as { http: { cookie: string } };
    http.cookie = 'vmware_soap_session="gone"';
    expect((await describeVm(session, { vmName: 'production-db' })).machine.name).toBe('production-db');
    await session.close();
  });

  test('where nobody listens says so', async () => {
    const server = `127.0.0.1:${await freePort()}`;
    expect(await failure(ask('x', { server }), 'VCENTER_UNREACHABLE')).toContain(server);
    await failure(ask('x', { server: 'no-such-host.invalid' }), 'VCENTER_UNREACHABLE');
  });

  test('where somebody listens and says nothing ends by itself', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as { port: number };
    try {
      await failure(ask('x', { server: `127.0.0.1:${port}` }), 'VCENTER_UNREACHABLE');
    } finally {
      silent.close();
    }
  }, 20_000);
});

describe('the certificate', () => {
  test('of an unknown CA is refused, with the fingerprint to pin', async () => {
    const message = await failure(
      ask('production-db', { trust: { fingerprints: [], insecure: false } }),
      'VCENTER_TLS',
    );
    expect(message.toLowerCase()).toContain(vcsim.thumbprint.toLowerCase());
  });

  test('other than the pinned one is refused before the login', async () => {
    const before = (await vcsim.control()).calls.Login;
    await failure(ask('production-db', { trust: { fingerprints: ['00'.repeat(32)], insecure: false } }), 'VCENTER_TLS');
    expect((await vcsim.control()).calls.Login).toBe(before);
  });

  test('is trusted by its CA, or not looked at by explicit choice', async () => {
    await ask('production-db', { trust: { caPem: vcsim.certificate, fingerprints: [], insecure: false } });
    await ask('production-db', { trust: { fingerprints: [], insecure: true } });
  });
});
