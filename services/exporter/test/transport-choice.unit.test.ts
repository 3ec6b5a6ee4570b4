import { describe, expect, test } from 'vitest';
import { planTransport, type TransportFacts } from '../src/sources/vsphere/flow/transport.js';

const GIB = 2 ** 30;
const FILE = { sizeBytes: 10 * GIB, acceptsRanges: true };
const BACKING: NonNullable<TransportFacts['backing']> = {
  index: 1,
  key: 2000,
  datastore: { name: 'ds', ref: undefined, type: 'VMFS' },
  datacenterPath: 'DC0',
  vmdkPath: 'web/web.vmdk',
  flatPath: 'web/web-flat.vmdk',
  hasParent: false,
  thin: true,
  capacityBytes: 10 * GIB,
  ineligible: undefined,
};
const facts = (change: Partial<TransportFacts> = {}): TransportFacts => ({
  choice: 'auto',
  minUsedRatio: 0.5,
  capacityBytes: 10 * GIB,
  usedBytes: 6 * GIB,
  backing: BACKING,
  file: FILE,
  ...change,
});

describe('the way of a disk', () => {
  test.each([
    { change: {}, transport: 'datastore', reason: '60 % of the disk is used, and from 50 % on its file is faster' },
    { change: { usedBytes: 5 * GIB }, transport: 'datastore', reason: '50 % of the disk' },
    { change: { usedBytes: 5 * GIB - 1 }, transport: 'nfc', reason: 'below 50 % the stream is faster' },
    { change: { usedBytes: undefined }, transport: 'nfc', reason: 'does not tell how much' },
    { change: { backing: { ...BACKING, hasParent: true } }, transport: 'nfc', reason: 'stands on another disk' },
    { change: { backing: { ...BACKING, ineligible: 'it is on vSAN' } }, transport: 'nfc', reason: 'it is on vSAN' },
    { change: { file: undefined }, transport: 'nfc', reason: 'does not give its file' },
    { change: { file: { ...FILE, acceptsRanges: false } }, transport: 'nfc', reason: 'parts of its file' },
    { change: { file: { ...FILE, sizeBytes: 5 } }, transport: 'nfc', reason: 'its file has 5 bytes' },
    { change: { choice: 'nfc' as const }, transport: 'nfc', reason: 'it was asked for' },
    { change: { choice: 'datastore' as const, usedBytes: 1 }, transport: 'datastore', reason: 'it was asked for' },
  ])('$transport: $reason', ({ change, transport, reason }) => {
    const plan = planTransport(facts(change));
    expect(plan).toMatchObject({ transport, reason: expect.stringContaining(reason) as unknown });
    expect(plan.unavailable).toBeUndefined();
  });

  test('that was asked for and leads nowhere says why', () => {
    const plan = planTransport(facts({ choice: 'datastore', file: undefined }));
    expect(plan.unavailable).toBe('vCenter does not give its file over HTTPS');
  });
});
