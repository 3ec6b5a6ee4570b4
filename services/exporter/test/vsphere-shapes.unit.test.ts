/**
 * Answers as vCenter servers write them, which the simulator does not: prefixes of types, lists of one, backings of all
 * kinds. They go through the SOAP library and our WSDL as they would from the network.
 */
import { fileURLToPath } from 'node:url';
import { createClientAsync, type IHttpClient } from 'soap';
import { describe, expect, test } from 'vitest';
import { scanCapacities, type Capacity } from '../src/sources/vsphere/capacities.js';
import { headFile } from '../src/sources/vsphere/datastore-files.js';
import { deltaBytes, readLayout, usedBytes } from '../src/sources/vsphere/layout.js';
import { leaseManifest } from '../src/sources/vsphere/lease.js';
import { hasTpm, readDisks, toMachine } from '../src/sources/vsphere/machine.js';
import { readMany, readProperties } from '../src/sources/vsphere/properties.js';
import { readTree } from '../src/sources/vsphere/tree.js';
import type { VimSession } from '../src/sources/vsphere/session.js';
import { child, toSoap, type Ref } from '../src/sources/vsphere/values.js';

const WSDL = fileURLToPath(new URL('../wsdl/vim25.wsdl', import.meta.url));
const VM: Ref = { type: 'VirtualMachine', id: 'vm-42' };

/** @param ns prefix of element names; `p` is that of the types in `xsi:type` */
function envelope(method: string, inner: string, ns = ''): string {
  const body = `<${method}Response xmlns="urn:vim25">${inner}</${method}Response>`;
  const prefixed = ns === '' ? body : body.replaceAll(/<(\/?)(?=\w)/g, `<$1${ns}:`);
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"' +
    ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"' +
    ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="urn:vim25"${ns === '' ? '' : ` xmlns:${ns}="urn:vim25"`}>` +
    `<soapenv:Body>${prefixed}</soapenv:Body></soapenv:Envelope>`
  );
}

/** A session whose vCenter answers one thing after another. */
async function answering(...answers: string[]): Promise<VimSession> {
  const request = (_url: string, _data: string, callback: (e: unknown, r: object, body: string) => void): void =>
    callback(null, { status: 200, headers: {} }, answers.shift() ?? '');
  const httpClient = { request } as unknown as IHttpClient;
  const client = await createClientAsync(WSDL, { httpClient }, 'https://vcenter.example.com/sdk');
  const methods = client as unknown as Record<string, (args: object) => Promise<[unknown]>>;
  return {
    service: { propertyCollector: { type: 'PropertyCollector', id: 'propertyCollector' } },
    call: async (method: string, self: Ref, args: object) => {
      const [answer] = (await methods[`${method}Async`]?.({ _this: toSoap(self), ...args })) ?? [];
      return child(answer, 'returnval');
    },
  } as unknown as VimSession;
}

const property = (name: string, type: string, inner: string): string =>
  `<propSet><name>${name}</name><val xsi:type="${type}">${inner}</val></propSet>`;
const object = (id: string, inner: string): string =>
  `<objects><obj type="VirtualMachine">${id}</obj>${inner}</objects>`;

const controller =
  '<key>1000</key><deviceInfo xsi:type="Description"><label>SCSI</label></deviceInfo><busNumber>0</busNumber>';
const disk = (key: number, unit: number, backing: string): string =>
  `<key>${key}</key><backing xsi:type="${backing}</backing><controllerKey>1000</controllerKey><unitNumber>${unit}</unitNumber>` +
  '<capacityInKB>10240</capacityInKB><capacityInBytes>10485760</capacityInBytes>';
const flat = (file: string, more = ''): string =>
  `VirtualDiskFlatVer2BackingInfo"><fileName>[san 1] ${file}</fileName><datastore type="Datastore">datastore-11</datastore>` +
  `<backingObjectId></backingObjectId><diskMode>persistent</diskMode><thinProvisioned>true</thinProvisioned>${more}`;
const hardware = (...devices: [type: string, inner: string][]): string =>
  property(
    'config.hardware',
    'VirtualHardware',
    '<numCPU>4</numCPU><numCoresPerSocket>2</numCoresPerSocket><memoryMB>8192</memoryMB>' +
      devices.map(([type, inner]) => `<device xsi:type="${type}">${inner}</device>`).join(''),
  );

const rdm = (mode: string): string =>
  `VirtualDiskRawDiskMappingVer1BackingInfo"><fileName>[san 1] web/rdm.vmdk</fileName><lunUuid>02</lunUuid>` +
  `<compatibilityMode>${mode}</compatibilityMode><diskMode>persistent</diskMode>`;
const file = (key: number, size: number): string =>
  `<file><key>${key}</key><name>[san 1] web/${key}</name><type>diskExtent</type><size>${size}</size></file>`;
const page = (id: string, token: string): string =>
  `<returnval>${token}${object(id, property('name', 'xsd:string', id))}</returnval>`;
const entry = (key: string, digest: string): string =>
  `<returnval><key>${key}</key>${digest}<size>77</size><disk>true</disk></returnval>`;
const lies = (how: string, type: string, id: string): string =>
  `<propSet><name>${how}</name><val type="${type}" xsi:type="ManagedObjectReference">${id}</val></propSet>`;

const read = async (inner: string, prefix = '', ns = '') => {
  const typed = inner.replaceAll('xsi:type="', `xsi:type="${prefix}`);
  const answer = envelope('RetrievePropertiesEx', `<returnval>${object('vm-42', typed)}</returnval>`, ns);
  return readProperties(await answering(answer), VM, []);
};

describe.each([
  ['plain', '', ''],
  ['with prefixes of types', 'p:', ''],
  ['with prefixes everywhere', 'p:', 'vim25'],
])('a vCenter’s answer, %s', (_, prefix, ns) => {
  const on = async (sharedBus: string) =>
    readDisks(
      await read(
        hardware(
          ['ParaVirtualSCSIController', `${controller}<sharedBus>${sharedBus}</sharedBus>`],
          ['VirtualDisk', disk(2000, 0, flat('web.vmdk'))],
        ),
        prefix,
        ns,
      ),
    )[0]?.obstacle;
  const devices = (inner: string): string =>
    property('config.hardware.device', 'ArrayOfVirtualDevice', inner).replaceAll('xsi:type="', `xsi:type="${prefix}`);

  test('tells disks, chains, keys and the TPM', async () => {
    const base = flat('web/web.vmdk', '<uuid>6000C29</uuid>');
    const chain = flat(
      'web/web-000002.vmdk',
      `<parent xsi:type="${flat('web/web-000001.vmdk', `<parent xsi:type="${base}</parent>`)}</parent>`,
    );
    const key = '<keyId><keyId>k-1</keyId><providerId><id>kms</id></providerId></keyId><sharing>sharingNone</sharing>';
    const properties = await read(
      hardware(
        ['VirtualLsiLogicSASController', controller],
        ['VirtualDisk', disk(2001, 1, flat('web/data.vmdk', key))],
        ['VirtualDisk', disk(2000, 0, chain)],
        ['VirtualTPM', '<key>11000</key>'],
        ['VirtualVmxnet3', '<key>4000</key><macAddress>00:50:56:aa:bb:cc</macAddress>'],
      ),
      prefix,
      ns,
    );
    expect(readDisks(properties)).toMatchObject([
      { index: 1, key: 2000, name: 'web.vmdk', address: 'VirtualLsiLogicSASController0:0', obstacle: undefined },
      { index: 2, key: 2001, name: 'data.vmdk', obstacle: 'is encrypted; decrypt it in vCenter first' },
    ]);
    expect(hasTpm(properties)).toBe(true);
    const place = { path: '/DC/vm/web', datacenter: 'DC', datacenterPath: '/DC' };
    expect(toMachine(VM, properties, place, undefined)).toMatchObject({
      tpm: true,
      cpus: 4,
      nics: [{ type: 'vmxnet3', mac: '00:50:56:aa:bb:cc' }],
    });
  });

  test('tells what cannot be in a snapshot', async () => {
    const shared = flat('web/quorum.vmdk', '<sharing>sharingMultiWriter</sharing>');
    const independent = flat('web/scratch.vmdk').replace('>persistent<', '>independent_persistent<');
    const properties = await read(
      hardware(
        ['ParaVirtualSCSIController', controller],
        ['VirtualDisk', disk(2000, 0, rdm('physicalMode'))],
        ['VirtualDisk', disk(2001, 1, rdm('virtualMode'))],
        ['VirtualDisk', disk(2002, 2, shared)],
        ['VirtualDisk', disk(2003, 3, independent)],
      ),
      prefix,
      ns,
    );
    const obstacles = readDisks(properties).map(({ name, obstacle }) => `${name} ${obstacle ?? 'is fine'}`);
    expect(obstacles).toEqual([
      expect.stringMatching(/^rdm.vmdk is a raw device mapping in physical mode/),
      expect.stringMatching(/^rdm.vmdk is a raw device mapping in virtual mode/),
      expect.stringMatching(/^quorum.vmdk is shared between VMs/),
      expect.stringMatching(/^scratch.vmdk is independent \(independent_persistent\)/),
    ]);
  });

  test('tells a bus that VMs share', async () => {
    expect(await on('noSharing')).toBeUndefined();
    expect(await on('physicalSharing')).toContain('controller that VMs share (physicalSharing)');
  });

  test('tells files and their sizes, also where there is only one of each', async () => {
    const one = await read(
      property(
        'layoutEx',
        'VirtualMachineFileLayoutEx',
        `${file(4, 512)}<disk><key>2000</key><chain><fileKey>4</fileKey></chain></disk>`,
      ),
      prefix,
      ns,
    );
    expect(usedBytes(readLayout(one.layoutEx), 2000)).toBe(512);
    expect(deltaBytes(readLayout(one.layoutEx))).toBe(0);
    const chain = '<chain><fileKey>1</fileKey><fileKey>2</fileKey></chain><chain><fileKey>3</fileKey></chain>';
    const many = await read(
      property(
        'layoutEx',
        'VirtualMachineFileLayoutEx',
        `${file(1, 10)}${file(2, 4_000_000_000_000)}${file(3, 300)}${file(4, 7)}<disk><key>2000</key>${chain}</disk><disk><key>2001</key><chain><fileKey>4</fileKey></chain></disk>`,
      ),
      prefix,
      ns,
    );
    const layout = readLayout(many.layoutEx);
    expect([usedBytes(layout, 2000), usedBytes(layout, 2001), usedBytes(layout, 2002)]).toEqual([
      4_000_000_000_310,
      7,
      undefined,
    ]);
    expect(deltaBytes(layout)).toBe(300);
  });

  test('comes in pages, also where none were asked for', async () => {
    const session = await answering(
      envelope('RetrievePropertiesEx', page('vm-1', '<token>1</token>'), ns),
      envelope('ContinueRetrievePropertiesEx', page('vm-2', ''), ns),
    );
    const found = await readMany(
      session,
      [
        { ...VM, id: 'vm-1' },
        { ...VM, id: 'vm-2' },
      ],
      ['name'],
    );
    expect(found.map(({ ref }) => ref.id)).toEqual(['vm-1', 'vm-2']);
  });

  test('tells the digests of one disk or of several', async () => {
    const sha1 = entry('/vm-42/VirtualLsiLogicController0:0', `<sha1>${'AB'.repeat(20)}</sha1>`);
    const sha256 = entry(
      '/vm-42/VirtualLsiLogicController0:1',
      '<sha1/><checksum>0F</checksum><checksumType>sha256</checksumType>',
    );
    const one = await leaseManifest(await answering(envelope('HttpNfcLeaseGetManifest', sha1, ns)), VM);
    expect(one).toEqual([{ key: '/vm-42/VirtualLsiLogicController0:0', sha1: 'ab'.repeat(20), size: 77 }]);
    const two = await leaseManifest(await answering(envelope('HttpNfcLeaseGetManifest', sha1 + sha256, ns)), VM);
    expect(two?.[1]).toEqual({
      key: '/vm-42/VirtualLsiLogicController0:1',
      checksum: '0f',
      checksumType: 'sha256',
      size: 77,
    });
    expect(await leaseManifest(await answering(envelope('HttpNfcLeaseGetManifest', '', ns)), VM)).toBeUndefined();
  });

  test('tells where VMs lie, in vApps too', async () => {
    const rootFolder = { type: 'Folder', id: 'group-d1' };
    const at = (type: string, id: string, name: string, ...more: string[]): string =>
      `<objects><obj type="${type}">${id}</obj>${property('name', 'xsd:string', name)}${more.join('')}</objects>`;
    const inner = [
      at('VirtualMachine', 'vm-1', 'web', lies('parentVApp', 'VirtualApp', 'resgroup-v2')),
      at(
        'VirtualMachine',
        'vm-2',
        'db',
        lies('parent', 'Folder', 'group-v3'),
        property('config.template', 'xsd:boolean', 'true'),
      ),
      // A VM that nobody may see has a reference and nothing else.
      '<objects><obj type="VirtualMachine">vm-3</obj></objects>',
      at('VirtualApp', 'resgroup-v2', 'inner', lies('parentVApp', 'VirtualApp', 'resgroup-v1')),
      at('VirtualApp', 'resgroup-v1', 'shop', lies('parentFolder', 'Folder', 'group-v3')),
      at('Folder', 'group-v3', 'vm', lies('parent', 'Datacenter', 'datacenter-2')),
      at('Datacenter', 'datacenter-2', 'DC', lies('parent', 'Folder', 'group-d5')),
      at('Folder', 'group-d5', 'Europe', lies('parent', 'Folder', rootFolder.id)),
    ].join('');
    const session = await answering(
      envelope('CreateContainerView', '<returnval type="ContainerView">session[1]view</returnval>', ns),
      envelope('RetrievePropertiesEx', `<returnval>${inner}</returnval>`, ns),
      envelope('DestroyView', '', ns),
    );
    Object.assign(session.service, { rootFolder, viewManager: { type: 'ViewManager', id: 'ViewManager' } });
    expect(await readTree(session, rootFolder)).toMatchObject([
      { moref: 'vm-1', inventory_path: '/Europe/DC/vm/shop/inner/web', datacenter: 'DC', template: false },
      { moref: 'vm-2', inventory_path: '/Europe/DC/vm/db', folder: '/Europe/DC/vm', template: true },
    ]);
  });

  test('is scanned for capacities', () => {
    const one = `<VirtualDevice xsi:type="VirtualDisk">${disk(2000, 0, flat('a.vmdk'))}</VirtualDevice>`;
    const old = '<VirtualDevice xsi:type="VirtualDisk"><key>2000</key><capacityInKB>5</capacityInKB></VirtualDevice>';
    const inner = `<token>7</token>${object('vm-1', devices(one + one))}${object('vm-2', devices(one + old))}${object('vm-3', devices(''))}`;
    const found = new Map<string, Capacity>();
    expect(scanCapacities(envelope('RetrievePropertiesEx', `<returnval>${inner}</returnval>`, ns), found)).toBe('7');
    expect([...found]).toEqual([
      ['vm-1', { disks: 2, capacity_bytes: 2 * 10_485_760 }],
      ['vm-2', { disks: 2, capacity_bytes: (10_240 + 5) * 1024 }],
      ['vm-3', { disks: 0, capacity_bytes: 0 }],
    ]);
    expect(scanCapacities(envelope('RetrievePropertiesEx', '', ns), found)).toBeUndefined();
  });
});

const look = async (...answers: { status: number; headers: Record<string, string> }[]) => {
  const asked: string[] = [];
  const session = {
    server: 'vcenter.example.com',
    head: async (_url: URL, { method }: { method: string }) => {
      asked.push(method);
      return answers.shift() ?? { status: 500, headers: {} };
    },
    touch: async () => void asked.push('touch'),
  } as unknown as VimSession;
  return { found: await headFile(session, new URL('https://vcenter.example.com/folder/x')), asked: asked.join(' ') };
};

describe('a file on a datastore', () => {
  const part = { status: 206, headers: { 'content-range': 'bytes 0-0/700', etag: '"1"' } };

  test('tells by its first byte what a HEAD does not', async () => {
    const found = { sizeBytes: 700, acceptsRanges: true, etag: '"1"' };
    expect(await look({ status: 405, headers: {} }, part)).toEqual({ found, asked: 'HEAD GET' });
    expect(await look({ status: 200, headers: { 'content-length': '700' } }, part)).toEqual({
      found,
      asked: 'HEAD GET',
    });
    expect(await look({ status: 200, headers: {} }, part)).toEqual({ found, asked: 'HEAD GET' });
  });

  test('that is only served whole says so', async () => {
    const whole = { status: 200, headers: { 'content-length': '700' } };
    expect((await look(whole, whole)).found).toEqual({ sizeBytes: 700, acceptsRanges: false });
  });

  test('that may not be read is none, and asked for once more only where a login can help', async () => {
    expect(await look({ status: 403, headers: {} })).toEqual({ found: undefined, asked: 'HEAD' });
    const refused = { status: 401, headers: {} };
    expect(await look(refused, refused)).toEqual({ found: undefined, asked: 'HEAD touch HEAD' });
    expect((await look({ status: 405, headers: {} }, { status: 403, headers: {} })).found).toBeUndefined();
  });
});
