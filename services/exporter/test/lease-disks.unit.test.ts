import { expect, test } from 'vitest';
import { assignDisks } from '../src/sources/vsphere/index.js';
import type { SourceDisk } from '../src/sources/vsphere/index.js';

const disk = (index: number, address: string, name: string): SourceDisk => ({
  index,
  key: 2000 + index,
  name,
  capacity_bytes: 1,
  address,
  obstacle: undefined,
});
const url = (key: string, targetId: string) => ({ key, url: `https://esx/${targetId}`, targetId, sslThumbprint: '' });
const urlsOf = (assigned: ReturnType<typeof assignDisks>): (string | undefined)[] =>
  [...assigned].toSorted(([a], [b]) => a - b).map(([, { targetId }]) => targetId);

const disks = [
  disk(1, 'ParaVirtualSCSIController0:0', 'db.vmdk'),
  disk(2, 'ParaVirtualSCSIController0:1', 'db_1.vmdk'),
  disk(3, 'VirtualAHCIController0:0', 'db_2.vmdk'),
];

test('vCenter names controller and unit: the order does not matter', () => {
  const offered = [
    url('/vm-12/VirtualAHCIController0:0', 'disk-2.vmdk'),
    url('/vm-12/ParaVirtualSCSIController0:1', 'disk-1.vmdk'),
    url('/vm-12/ParaVirtualSCSIController0:0', 'disk-0.vmdk'),
  ];
  expect(urlsOf(assignDisks(disks, offered))).toEqual(['disk-0.vmdk', 'disk-1.vmdk', 'disk-2.vmdk']);
});

test('unit 1 is not taken for unit 11', () => {
  const two = [disk(1, 'ParaVirtualSCSIController0:1', 'a.vmdk'), disk(2, 'ParaVirtualSCSIController0:11', 'b.vmdk')];
  const offered = [url('/vm-1/ParaVirtualSCSIController0:11', 'x'), url('/vm-1/ParaVirtualSCSIController0:1', 'y')];
  expect(urlsOf(assignDisks(two, offered))).toEqual(['y', 'x']);
});

test('else the file names decide, and at last the order of the devices', () => {
  const named = [url('/vm-12/disk:1', 'db_2.vmdk'), url('/vm-12/disk:0', 'db.vmdk'), url('/vm-12/disk:2', 'db_1.vmdk')];
  expect(urlsOf(assignDisks(disks, named))).toEqual(['db.vmdk', 'db_1.vmdk', 'db_2.vmdk']);
  const nameless = ['a', 'b', 'c'].map((name) => url('', name));
  expect(urlsOf(assignDisks(disks, nameless))).toEqual(['a', 'b', 'c']);
});

test('a disk without a URL is an error that names it', () => {
  expect(() => assignDisks(disks, [url('/vm-12/ParaVirtualSCSIController0:0', 'disk-0.vmdk')])).toThrow(
    'the lease offers 1 disks and none for db_1.vmdk, db_2.vmdk',
  );
});
