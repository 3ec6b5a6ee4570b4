/** Webhooks through real HTTP servers: what they get, and what becomes of receivers that are down, slow, or say no. */
import { createHmac } from 'node:crypto';
import { NotifierConfig, WebhookChannel, type Outcome } from '@hyper2kvm/notifier';
import { afterEach, describe, expect, it } from 'vitest';
import { digest, fact, message, SAMPLES, test } from './notifier-channels-messages.js';
import { closeReceivers, receiver, type Got } from './notifier-channels-receiver.js';

const NEVER = new AbortController().signal;
const SECRET = 'sesame';

afterEach(closeReceivers);

const channel = (config: object = {}, pausesMs: readonly number[] = [5, 20]): WebhookChannel =>
  new WebhookChannel({ ...NotifierConfig.parse({ webhook: { secret: SECRET } }).webhook, ...config }, pausesMs);
const one = async (sending: Promise<readonly Outcome[]>): Promise<Outcome & { reason?: string; afterMs?: number }> => {
  const outcomes = await sending;
  expect(outcomes).toHaveLength(1);
  expect(JSON.stringify(outcomes[0], (key, value: unknown) => (key === 'target' ? '' : value))).not.toContain('S3CRET');
  return outcomes[0] as Outcome;
};
function expectSigned({ headers, body }: Got, secret: string): void {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', secret).update(signed).digest('base64')}`);
  expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
}

describe('a webhook', () => {
  it("has the design document's shapes, and a signature that can be checked", async () => {
    const { url, got, host } = await receiver([204]);
    const hooks = channel();
    for (const kind of ['completed', 'failed', 'cancelled', 'batch'] as const)
      expect(await one(hooks.send(message(kind), [url], NEVER))).toEqual({
        target: url,
        result: 'taken',
        answer: `${host} answered 204`,
      });
    const folder = '/var/lib/hyper2kvm/output/2026-01-17/production-db';
    expect(got.map(({ body }) => JSON.parse(body) as object)).toEqual([
      {
        job_id: 'job-7k2m9x4qa3hd',
        status: 'success',
        vm_name: 'production-db',
        output_dir: folder,
        files: [`${folder}/disk1.qcow2`, `${folder}/disk2.qcow2`],
        duration_seconds: SAMPLES.completed.result.duration_seconds,
        modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
      },
      {
        job_id: 'job-7k2m9x4qa3hd',
        status: 'failed',
        vm_name: 'production-db',
        error: 'No operating system was found on the 2 disks of production-db.',
        error_file: '/var/lib/hyper2kvm/output/.errors/job-abc123.error.json',
        retry_count: 1,
        retry_available: true,
      },
      { job_id: 'job-7k2m9x4qa3hd', status: 'cancelled', vm_name: 'production-db' },
      {
        batch_id: 'batch-3n8d5w2kq7rt',
        status: 'completed',
        name: 'web farm',
        totals: { total: 50, completed: 47, failed: 2, cancelled: 1 },
      },
    ]);
    for (const call of got) expectSigned(call, SECRET);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(4);
  });

  it('goes to endpoints with their own secret, by their name', async () => {
    const [cmdb, plain] = [await receiver([200]), await receiver([200])];
    const endpoints = { cmdb: { url: cmdb.url, secret: 'of the cmdb' }, plain: { url: plain.url } };
    // What an administrator configured may be called, whatever jobs may name.
    const hooks = channel({ endpoints, allow_urls: ['https://other.example.com/'] });
    const outcomes = await hooks.send(message('completed'), [cmdb.url, plain.url], NEVER);
    expect(outcomes.map(({ result }) => result)).toEqual(['taken', 'taken']);
    expectSigned(cmdb.got[0] as Got, 'of the cmdb');
    expectSigned(plain.got[0] as Got, SECRET);
    expect([hooks.shown(cmdb.url), hooks.shown('https://x.example.com:8443/S3CRET?k=1')]).toEqual([
      'cmdb',
      'x.example.com:8443',
    ]);
  });

  it('can be tested, and is no digest', async () => {
    const { url, got } = await receiver([200]);
    expect((await one(channel().send(test, [url], NEVER))).result).toBe('taken');
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ status: 'test' });
    expect((await one(channel().send(digest([fact('completed')]), [url], NEVER))).result).toBe('refused');
  });

  it('asked for twice at once is sent once', async () => {
    const { url, got } = await receiver([200]);
    const hooks = channel();
    const told = message('completed');
    const both = await Promise.all([hooks.send(told, [url], NEVER), hooks.send(told, [url], NEVER)]);
    expect(both.flat().map(({ result }) => result)).toEqual(['taken', 'taken']);
    expect(got).toHaveLength(1);
  });
});

describe('a receiver', () => {
  it.each([
    ['that answers 500, then 429', [500, 429, 200] as const],
    ['that cuts the connection', ['cut', 200] as const],
  ])('%s gets it by another try with the same id', async (_how, answers) => {
    const { url, got } = await receiver(answers);
    const hooks = channel();
    const told = message('failed');
    await expect
      .poll(async () => (await one(hooks.send(told, [url], NEVER))).result, { timeout: 10_000, interval: 10 })
      .toBe('taken');
    expect(got).toHaveLength(answers.length);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('that goes on answering 500 is asked again later', async () => {
    const { url, got, host } = await receiver([500]);
    expect(await one(channel().send(message('failed'), [url], NEVER))).toEqual({
      target: url,
      result: 'later',
      reason: `${host} answered 500`,
    });
    expect(got).toHaveLength(3);
  });

  it.each([400, 410, 404, 301])('that answers %d is not asked again', async (status) => {
    const elsewhere = await receiver([200]);
    const { url, got, host } = await receiver([{ status, headers: { location: elsewhere.url } }]);
    const refused = await one(channel().send(message('failed'), [url], NEVER));
    expect(refused).toMatchObject({ result: 'refused', reason: `${host} answered ${status}` });
    expect([got.length, elsewhere.got.length]).toEqual([1, 0]);
  });

  it.each([
    ['seconds', () => '120'],
    ['a date', () => new Date(Date.now() + 121_000).toUTCString()],
  ])('that names a time (%s) is left alone until then, by every message', async (_how, retryAfter) => {
    const { url, got } = await receiver([{ status: 429, headers: { 'retry-after': retryAfter() } }]);
    const hooks = channel();
    for (const kind of ['failed', 'completed'] as const) {
      const { result, afterMs } = await one(hooks.send(message(kind), [url], NEVER));
      expect(result).toBe('later');
      expect(afterMs).toBeGreaterThan(100_000);
      expect(afterMs).toBeLessThanOrEqual(121_000);
    }
    expect(got).toHaveLength(1);
    // Somebody who asks is told how it is now.
    await one(hooks.send(test, [url], NEVER));
    expect(got).toHaveLength(2);
  });

  it('that is down for a while gets it when it is up again', async () => {
    const first = await receiver([200]);
    first.close();
    const hooks = channel();
    const told = message('completed');
    const down = await one(hooks.send(told, [first.url], NEVER));
    expect([down.result, down.reason]).toEqual(['later', `${first.host} could not be reached (ECONNREFUSED)`]);
    const { got } = await receiver([200], first.port);
    await expect
      .poll(async () => (await one(hooks.send(told, [first.url], NEVER))).result, { timeout: 10_000, interval: 20 })
      .toBe('taken');
    expect(got).toHaveLength(1);
  });

  it('outside of the allow-list, or on a link-local address, is not called', async () => {
    const { url, got } = await receiver([200]);
    const hooks = channel({ allow_urls: ['https://cmdb.example.com/'] });
    const refused = await one(hooks.send(message('failed'), [url], NEVER));
    expect([refused.result, refused.reason]).toEqual(['refused', expect.stringContaining('allow_urls')]);
    expect(got).toEqual([]);
    const metadata = await one(channel().send(message('failed'), ['http://169.254.169.254/latest'], NEVER));
    expect([metadata.result, metadata.reason]).toEqual(['refused', expect.stringContaining('link-local')]);
    const odd = await one(channel().send(message('failed'), ['nowhere'], NEVER));
    expect(odd.result).toBe('refused');
  });

  it('that hangs is asked by few at a time, is left alone then, and holds up no other', async () => {
    const hanging = await receiver(['silence']);
    const fine = await receiver([200]);
    // Left alone for longer than the test takes.
    const hooks = channel({ timeout_seconds: 1 }, [60_000]);
    const stuck = Array.from({ length: 100 }, async () => one(hooks.send(message('completed'), [hanging.url], NEVER)));
    expect((await one(hooks.send(message('completed'), [fine.url], NEVER))).result).toBe('taken');
    expect(new Set((await Promise.all(stuck)).map(({ result }) => result))).toEqual(new Set(['later']));
    expect(hanging.got).toHaveLength(4);
  });

  it('is let go when the service stops', async () => {
    const stop = new AbortController();
    const { url } = await receiver(['silence'], 0, () => stop.abort(new Error('the service stops')));
    const outcome = await one(channel().send(message('completed'), [url], stop.signal));
    expect([outcome.result, outcome.reason]).toEqual(['later', 'the service stops']);
  });
});
