import { JobError, type ConversionRequested } from '@hyper2kvm/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './gateway-client.js';
import { startStack, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

let stack: Stack;
let client: Client;
let stopWorkers: () => Promise<void> = async () => {};
let serial = 0;
const vm = (): string => `vm-${(serial += 1)}`;

beforeAll(async () => {
  stack = await startStack();
  client = new Client(await stack.gateway({ retry_policy: { retry_delay: 0.2 } }));
});
afterEach(async () => {
  await stopWorkers();
  stopWorkers = async () => {};
});
afterAll(async () => {
  await stack?.stop();
});

describe('retry with other options', () => {
  it('gives the conversion the key that was missing, sealed, and keeps all else', async () => {
    const seen: ConversionRequested['options'][] = [];
    stopWorkers = await startWorkers(stack.nats.servers, {
      converting: async (data) => {
        seen.push(data.options);
        if (data.options.luks_keys_sealed === undefined) throw new JobError('GUEST_ENCRYPTED', '/dev/sda2 is locked');
      },
    });
    const id = await client.convert(vm());
    await client.reaches(id, 'failed');
    const key = Buffer.from('open sesame').toString('base64');
    const body = { options: { verify_boot: true, root: '/dev/sda2/@debian' }, luks_keys: [{ key_base64: key }] };
    const response = await client.send('POST', `/api/v1/jobs/${id}/retry`, body);
    expect(response.status).toBe(202);
    expect(await response.text()).not.toContain(key);
    await client.reaches(id, 'completed');
    const [first, second] = seen;
    const { luks_keys_sealed: sealed, ...others } = second ?? {};
    expect(sealed).toMatch(/^v1\./);
    expect(others).toEqual({ ...first, verify_boot: true, root: '/dev/sda2/@debian' });
  });

  it('refuses what is none of a conversion, and targets that are not there; the job stays as it was', async () => {
    stopWorkers = await startWorkers(stack.nats.servers, {
      converting: async () => {
        throw new JobError('GUEST_NO_OS', 'nothing that boots');
      },
    });
    const id = await client.convert(vm());
    await client.reaches(id, 'failed');
    for (const options of [
      { transport: 'nfc' },
      { target: 'nowhere' },
      { start: true },
      { luks_keys_sealed: 'v1.a.b.c' },
    ])
      expect(await client.refused(client.send('POST', `/api/v1/jobs/${id}/retry`, { options }))).toMatchObject({
        code: 'BAD_REQUEST',
      });
    expect(await client.reaches(id, 'failed')).toMatchObject({ retry_count: 0 });
  });
});
