/**
 * Input of each kind that is no good, through the whole export: one line that names the disk or file, with what to do about
 * it, and nothing left: no folder, no lease, no snapshot, no process.
 */
import { copyFile, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { JobError, type ErrorCode, type ExportOptions } from '@hyper2kvm/contracts';
import { exportVm, type ExportRequest } from '@hyper2kvm/exporter';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNoProcesses } from '../support/processes.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import { convert, disks, makeRaw, ova, poke, tar, writeOvf } from './export-local-setup.js';
import { endpointOf, recordingPorts, removeFolder, settingsFor, tempFolder } from './export-setup.js';

const MIB = 2 ** 20;
const CAPACITY = 24 * MIB;

let folder: string;
/** Beneath it files may be given. */
let images: string;
let work: string;
let raw: string;
let stream: string;
let vcsim: Vcsim;

const at = (name: string): string => path.join(images, name);

beforeAll(async () => {
  folder = await tempFolder();
  [images, work] = [path.join(folder, 'images'), path.join(folder, 'work')];
  await Promise.all([mkdir(images), mkdir(work)]);
  raw = await makeRaw(path.join(folder, 'disk.raw'), CAPACITY);
  stream = await convert(raw, 'vmdk', path.join(folder, 'stream.vmdk'), 'subformat=streamOptimized');
  const noVmdk = path.join(folder, 'no.vmdk');
  await writeFile(noVmdk, Buffer.alloc(300_000, 7));
  const cutStream = path.join(folder, 'cut.vmdk');
  await copyFile(stream, cutStream);
  await truncate(cutStream, 2 * MIB);
  const cutFlat = path.join(folder, 'cut-flat.raw');
  await copyFile(raw, cutFlat);
  await truncate(cutFlat, CAPACITY - MIB);
  const vm = (name: string, vmdk: string, flat: string, capacity = CAPACITY) => ({
    name,
    disks: [{ name: `${name}.vmdk`, capacity_bytes: capacity, vmdk, flat }],
  });
  vcsim = await startVcsim({
    vms: [
      vm('no-vmdk', noVmdk, raw),
      vm('cut', cutStream, cutFlat),
      vm('grown', stream, raw, CAPACITY + MIB),
      vm('good', stream, raw),
    ],
  });
});

afterEach(async () => {
  for (const name of await readdir(work)) await rm(path.join(work, name), { recursive: true });
});

afterAll(async () => {
  await vcsim?.stop();
  await removeFolder(folder);
});

type Asked = Pick<ExportRequest, 'vmName'> & (Pick<ExportRequest, 'endpoint'> | Pick<ExportRequest, 'files'>);

async function refusal(asked: Asked, options: Partial<ExportOptions> = {}): Promise<JobError> {
  const request = { jobId: 'job-input1', attempt: 1, epoch: 1, options, ...asked } as ExportRequest;
  const settings = settingsFor(work, { allowedRoots: [images] });
  const before = (await readdir(images)).toSorted();
  const error: unknown = await exportVm(request, settings, recordingPorts().ports).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`, { cause: error });
  expect(error.message).toMatch(/^[^\n]+$/);
  expect(error.toFailure().advice).toMatch(/\w/);
  expect(await readdir(work)).toEqual([]);
  expect((await readdir(images)).toSorted()).toEqual(before);
  const state = await vcsim.control();
  expect(state.snapshots).toEqual([]);
  expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
  await expectNoProcesses(work);
  return error;
}

test.each<[what: string, vm: string, transport: 'nfc' | 'datastore', code: ErrorCode, says: RegExp]>([
  ['that is no VMDK', 'no-vmdk', 'nfc', 'EXPORT_CORRUPT', /^disk 1 \(no-vmdk\.vmdk\): .*not a VMDK \(at byte 0\)/],
  ['that ends early', 'cut', 'nfc', 'EXPORT_CORRUPT', /^disk 1 \(cut\.vmdk\): .*\(at byte \d+\)/],
  ['of another size', 'grown', 'nfc', 'EXPORT_CORRUPT', /^disk 1 \(grown\.vmdk\): .*25165824 bytes.*26214400/],
  ['whose file ends early', 'cut', 'datastore', 'TRANSPORT_UNAVAILABLE', /cut(-flat)?\.vmdk.*24117248/],
  ['whose file has another size', 'grown', 'datastore', 'TRANSPORT_UNAVAILABLE', /grown(-flat)?\.vmdk.*25165824/],
])('a disk of vCenter %s (%s, %s): %s', async (_, vmName, transport, code, says) => {
  const error = await refusal({ vmName, endpoint: endpointOf(vcsim) }, { transport });
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(says)]);
});

type Make = () => Promise<NonNullable<ExportRequest['files']>>;

/** A file of this format that was cut to so many bytes. */
const cut = (format: string, name: string, bytes: number, options?: string): Make => {
  return async () => {
    const file = await convert(raw, format, at(name), options);
    await truncate(file, bytes);
    return disks(file);
  };
};

test.each<[what: string, code: ErrorCode, names: string, make: Make]>([
  [
    'a stream VMDK that ends early',
    'SOURCE_INVALID',
    's1.vmdk',
    cut('vmdk', 's1.vmdk', 2 * MIB, 'subformat=streamOptimized'),
  ],
  [
    'a stream VMDK with a byte changed',
    'SOURCE_INVALID',
    's2.vmdk',
    async () => {
      await copyFile(stream, at('s2.vmdk'));
      return disks(await poke(at('s2.vmdk'), 2 * MIB, Buffer.alloc(64, 0xa5)));
    },
  ],
  ['a sparse VMDK that ends early', 'SOURCE_INVALID', 's3.vmdk', cut('vmdk', 's3.vmdk', MIB)],
  [
    'a flat VMDK without its extent',
    'SOURCE_INVALID',
    's4-flat.vmdk',
    async () => {
      const descriptor = [
        '# Disk DescriptorFile',
        'version=1',
        'CID=fffffffe',
        'parentCID=ffffffff',
        'createType="monolithicFlat"',
        `RW ${CAPACITY / 512} FLAT "s4-flat.vmdk" 0`,
      ];
      await writeFile(at('s4.vmdk'), `${descriptor.join('\n')}\n`);
      return disks(at('s4.vmdk'));
    },
  ],
  ['a VHD that ends early', 'SOURCE_INVALID', 's5.vhd', cut('vpc', 's5.vhd', 2 * MIB, 'subformat=dynamic')],
  ['a VHDX that ends early', 'SOURCE_INVALID', 's6.vhdx', cut('vhdx', 's6.vhdx', 100_000)],
  ['a qcow2 that ends early', 'SOURCE_INVALID', 's7.qcow2', cut('qcow2', 's7.qcow2', 70_000)],
  [
    'a qcow2 over a file that was not given',
    'SOURCE_INVALID',
    's8.qcow2',
    async () => disks(await convert(raw, 'qcow2', at('s8.qcow2')).then((file) => withBackingFile(file))),
  ],
  [
    'a file of no known format',
    'SOURCE_INVALID',
    's9.dat',
    async () => {
      await writeFile(at('s9.dat'), Buffer.alloc(MIB, 'no disk'));
      return disks(at('s9.dat'));
    },
  ],
  ['a file that is not there', 'SOURCE_INVALID', 's10.raw', async () => disks(at('s10.raw'))],
  ['a file outside of the allowed folders', 'PATH_DENIED', 'disk.raw', async () => disks(raw)],
  [
    'an image with another checksum than was given',
    'SOURCE_CHECKSUM',
    's11.raw',
    async () => {
      await copyFile(raw, at('s11.raw'));
      return disks({ path: at('s11.raw'), checksum: `md5:${'0'.repeat(32)}` });
    },
  ],
  [
    'an OVA whose disk is not that of its manifest',
    'SOURCE_CHECKSUM',
    's12.vmdk',
    async () => {
      const folderOfOvf = path.join(folder, 'ovf');
      await mkdir(folderOfOvf);
      await copyFile(stream, path.join(folderOfOvf, 's12.vmdk'));
      const described = { disks: [{ file: 's12.vmdk', capacityMib: CAPACITY / MIB }] };
      const names = await writeOvf(folderOfOvf, 's12', described, 'sha256');
      // Its last sector is padding: the disk itself stays readable.
      const other = await convert(raw, 'vmdk', path.join(folderOfOvf, 's12.vmdk'), 'subformat=streamOptimized');
      await poke(other, 512 + 20, Buffer.from('# changed'));
      return ova(await tar(folderOfOvf, names, at('s12.ova')));
    },
  ],
  [
    'an OVA that ends early',
    'SOURCE_INVALID',
    's13.ova',
    async () => {
      const folderOfOvf = path.join(folder, 'ovf2');
      await mkdir(folderOfOvf);
      await copyFile(stream, path.join(folderOfOvf, 's13.vmdk'));
      const described = { disks: [{ file: 's13.vmdk', capacityMib: CAPACITY / MIB }] };
      const names = await writeOvf(folderOfOvf, 's13', described, 'sha256');
      const file = await tar(folderOfOvf, names, at('s13.ova'));
      await truncate(file, MIB);
      return ova(file);
    },
  ],
])('%s: %s', async (_, code, names, make) => {
  const error = await refusal({ vmName: 'local', files: await make() });
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(names)]);
});

/** Writes the name of a backing file into the header, as an attacker would. */
async function withBackingFile(file: string): Promise<string> {
  const name = Buffer.from('/etc/passwd');
  const field = Buffer.alloc(12);
  // The name lies behind the header and its extensions, within the first cluster.
  field.writeBigUInt64BE(4096n, 0);
  field.writeUInt32BE(name.length, 8);
  await poke(file, 4096, name);
  return poke(file, 8, field);
}
