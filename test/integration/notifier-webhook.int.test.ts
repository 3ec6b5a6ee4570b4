/** Callbacks through real HTTP servers: what they get, and what becomes of receivers that are down, slow, or say no. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { batchCompleted, jobCancelled, jobCompleted, JobError, jobFailed } from '@hyper2kvm/contracts';
import { NotifierConfig, OldWebhookChannel, type OutcomeFact } from '@hyper2kvm/notifier';
import { RetryLater } from '@hyper2kvm/runtime';
import { afterEach, describe, expect, it } from 'vitest';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../libs/contracts/test/golden/${type}.v1.json`, import.meta.url), 'utf8'));
const SAMPLES = {
  completed: jobCompleted.schema.parse(golden('job.completed')),
  failed: jobFailed.schema.parse(golden('job.failed')),
  cancelled: jobCancelled.schema.parse(golden('job.cancelled')),
  batch: batchCompleted.schema.parse(golden('batch.completed')),
};
const NEVER = new AbortController().signal;
const SECRET = 'sesame';

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface TestReceiver {
  readonly url: string;
  readonly port: number;
  readonly got: Got[];
  readonly server: Server;
}

const servers: Server[] = [];
/** Undefined in place of a status: no answer at all. The last one repeats. */
async function receiver(
  answers: readonly (number | undefined | [number, Record<string, string>])[],
  port = 0,
  meanwhile: (response: ServerResponse) => Promise<unknown> = () => Promise.resolve(),
): Promise<TestReceiver> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const answer = answers[Math.min(got.length, answers.length - 1)];
      got.push({ headers: request.headers, body });
      await meanwhile(response);
      const [status, headers] = Array.isArray(answer) ? answer : [answer, {}];
      if (status !== undefined) response.writeHead(status, headers).end();
    });
  }).listen(port, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${own}/hooks/hyper2kvm`, port: own, got, server };
}
const close = (server: Server): void => {
  server.closeAllConnections();
  server.close();
};
afterEach(() => servers.splice(0).forEach(close));

let facts = 0;
const fact = (kind: OutcomeFact['kind'], url: string | undefined, time = new Date()): OutcomeFact => {
  facts += 1;
  const data = { ...SAMPLES[kind], callback_url: url };
  return { kind, eventId: `fact-${facts}`, time: time.toISOString(), data } as OutcomeFact;
};
const channel = (config: object = {}, pausesMs: readonly number[] | undefined = [5, 20]): OldWebhookChannel =>
  new OldWebhookChannel(NotifierConfig.parse({ webhook: { secret: SECRET, ...config } }).webhook, pausesMs);
const refused = async (delivery: Promise<unknown>): Promise<JobError> => {
  const error: unknown = await delivery.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(JobError);
  return error as JobError;
};
const later = async (delivery: Promise<unknown>): Promise<RetryLater> => {
  const error: unknown = await delivery.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RetryLater);
  return error as RetryLater;
};

describe('a callback', () => {
  it("has the design document's shapes, and a signature that can be checked", async () => {
    const { url, got } = await receiver([204]);
    const hooks = channel();
    for (const kind of ['completed', 'failed', 'cancelled', 'batch'] as const)
      expect(await hooks.deliver(fact(kind, url), NEVER)).toHaveLength(1);
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
    for (const { headers, body } of got) {
      const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`);
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
    }
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(4);
  });

  it('is for those who asked for one, and each of them gets it once', async () => {
    const { url, got } = await receiver([200]);
    const hooks = channel();
    expect(await hooks.deliver(fact('completed', undefined), NEVER)).toEqual([]);
    const told = fact('completed', url);
    await Promise.all([hooks.deliver(told, NEVER), hooks.deliver(told, NEVER)]);
    expect(await hooks.deliver(told, NEVER)).toEqual([]);
    expect(got).toHaveLength(1);
  });
});

describe('a receiver', () => {
  it('that answers 500, then 200 gets it by another try with the same id', async () => {
    const { url, got } = await receiver([500, 429, 200]);
    expect(await channel().deliver(fact('failed', url), NEVER)).toHaveLength(1);
    expect(got).toHaveLength(3);
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('that goes on answering 500 is asked again later, by the bus', async () => {
    const { url, got } = await receiver([500]);
    const error: unknown = await channel()
      .deliver(fact('failed', url), NEVER)
      .catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(JobError);
    expect(String(error)).toContain('answered 500');
    expect(got).toHaveLength(3);
  });

  it.each([400, 410, 404, 301])('that answers %d is not asked again', async (status) => {
    const { url, got } = await receiver([status]);
    const { message } = await refused(channel().deliver(fact('failed', url), NEVER));
    expect(message).toContain(`answered ${status}`);
    expect(message).not.toContain('/hooks/');
    expect(got).toHaveLength(1);
  });

  it('that names a time is left alone until then, by every message', async () => {
    const { url, got } = await receiver([[503, { 'retry-after': '120' }]]);
    const hooks = channel();
    const { afterMs } = await later(hooks.deliver(fact('failed', url), NEVER));
    expect(afterMs).toBe(120_000);
    expect((await later(hooks.deliver(fact('completed', url), NEVER))).afterMs).toBeGreaterThan(100_000);
    expect(got).toHaveLength(1);
  });

  it('that is down for a while gets it when it is up again', async () => {
    const first = await receiver([200]);
    close(first.server);
    const hooks = channel();
    const told = fact('completed', first.url);
    const error = await later(hooks.deliver(told, NEVER));
    expect(error.message).toContain('ECONNREFUSED');
    const { got } = await receiver([200], first.port);
    await expect
      .poll(async () => hooks.deliver(told, NEVER).catch(() => []), { timeout: 10_000, interval: 20 })
      .toHaveLength(1);
    expect(got).toHaveLength(1);
  });

  it('that took nothing for days misses it', async () => {
    const { url } = await receiver([500]);
    const old = fact('failed', url, new Date(Date.now() - 73 * 3_600_000));
    expect((await refused(channel().deliver(old, NEVER))).message).toContain('given up after 72 h');
  });

  it('outside of the allow-list, or on a link-local address, is not called', async () => {
    const { url, got } = await receiver([200]);
    const hooks = channel({ allow_urls: ['https://cmdb.example.com/'] });
    expect((await refused(hooks.deliver(fact('failed', url), NEVER))).message).toContain('allow_urls');
    expect(got).toEqual([]);
    const metadata = channel().deliver(fact('failed', 'http://169.254.169.254/latest'), NEVER);
    expect((await refused(metadata)).message).toContain('link-local');
  });

  it('that hangs is asked by few at a time, is left alone then, and holds up no other', async () => {
    const hanging = await receiver([undefined]);
    const fine = await receiver([200]);
    // Left alone for longer than the test takes.
    const hooks = channel({ timeout_seconds: 1 }, [60_000]);
    const stuck = Array.from({ length: 100 }, async () => later(hooks.deliver(fact('completed', hanging.url), NEVER)));
    expect(await hooks.deliver(fact('completed', fine.url), NEVER)).toHaveLength(1);
    await Promise.all(stuck);
    expect(hanging.got).toHaveLength(4);
  });

  it('is let go when the service stops', async () => {
    const stop = new AbortController();
    const { url } = await receiver([undefined], 0, async () => stop.abort(new Error('the service stops')));
    await expect(channel().deliver(fact('completed', url), stop.signal)).rejects.toThrow('the service stops');
  });
});
