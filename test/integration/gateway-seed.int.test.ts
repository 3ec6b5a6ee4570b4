/** The examples of the first design document, request by request: what answered them then has the same shape now. */
import { JobError } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { block, differences, example, requestLine, type JsonObject } from '../support/design/examples.js';
import { Client, Gate } from './gateway-client.js';
import { startStack, until, type Gateway, type Stack } from './gateway-stack.js';
import { machine, startWorkers } from './gateway-workers.js';

const REQUEST = example('**Convert Request:**');
const ANSWER = example('**Convert Request:**', 2);
const STATUS = example('**Status Query:**', 2);
const COMPLETE = example('**Conversion Complete:**');
const FAILED = example('**Conversion Failed:**');
const QUEUE = example('**Queue Job:**');
const QUEUED = example('**Queue Job:**', 2);

const GB = 1e9;
const SIZES = [85.2 * GB, 120.5 * GB, 44.3 * GB];

let stack: Stack;
let gateway: Gateway;
let client: Client;
let stop: (() => Promise<void>) | undefined;
/** The conversion in whose midst the status is asked for. */
const proceed = new Gate();

/** A text of an answer or of an example. */
const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new TypeError(`${JSON.stringify(value)} is no text`);
  return value;
};

const send = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: JsonObject }> => {
  const response = await client.send(method, path, body);
  return { status: response.status, body: (await response.json()) as JsonObject };
};

const disk = (index: number, state: 'done' | 'transferring' | 'waiting') => ({
  index,
  name: `disk${index}`,
  capacity_bytes: 1,
  done_bytes: 0,
  bytes_downloaded: 0,
  state,
});

beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway({ retry_policy: { retry_delay: 0.1, max_retries: 1 } });
  client = new Client(gateway);
  stop = await startWorkers(stack.nats.servers, {
    describe: ({ vm_name: name }) => ({
      ...machine(name),
      disks: SIZES.map((size, index) => ({
        index: index + 1,
        name: `${name}${index === 0 ? '' : `_${index}`}.vmdk`,
        capacity_bytes: size,
      })),
    }),
    exported: { bytes_downloaded: (STATUS['export'] as JsonObject)['bytes_downloaded'] },
    converting: async (data, work) => {
      if (data.vm_name === 'broken-db') {
        throw new JobError('CONVERSION_STEP', text(FAILED['error']), {
          retryable: true,
          errorFile: `/var/lib/hyper2kvm/output/.errors/${data.job_id}.error.json`,
        });
      }
      if (data.vm_name !== 'production-db') return;
      work.progress({
        phase: 'conversion',
        percent_complete: 67,
        eta_seconds: 180,
        step: 'initramfs',
        steps_completed: 3,
        steps_total: 5,
        disks: [disk(1, 'done'), disk(2, 'transferring'), disk(3, 'waiting')],
      });
      await proceed.passed(work.signal);
    },
  });
}, 120_000);
afterAll(async () => {
  await stop?.();
  await stack?.stop();
});

/** A first job, so that durations are known. */
const measured = async (): Promise<void> => {
  const id = await client.convert('first-db');
  await client.reaches(id, 'completed');
};

describe('the HTTP API', () => {
  it('has every endpoint of the list', async () => {
    const lines = [...block('## API Endpoints').matchAll(/^(GET|POST|DELETE)\s+(\S+)/gm)];
    expect(lines).toHaveLength(8);
    for (const [, method = '', path = ''] of lines) {
      const address = path === '/health' || path === '/status' ? path : `/api/v1${path.replace('{id}', 'job-nothere')}`;
      const { status, body } = await send(method, address, method === 'POST' ? {} : undefined);
      // It is there: what is missing is the job, or the fields.
      if (status === 404) expect(body['code']).toBe('JOB_NOT_FOUND');
      else expect([200, 400]).toContain(status);
    }
  });

  it('answers the convert request, and the status query in its midst, with the same keys and words', async () => {
    await measured();
    const { method, path } = requestLine('**Convert Request:**');
    const accepted = await send(method, path, REQUEST);
    expect(accepted.status).toBe(202);
    expect(differences(ANSWER, accepted.body)).toEqual([]);
    expect(accepted.body).toMatchObject({ status: ANSWER['status'], vm_name: ANSWER['vm_name'] });
    const disks = accepted.body['disks'] as JsonObject[];
    expect(disks.slice(0, 2)).toMatchObject(ANSWER['disks'] as JsonObject[]);
    expect(accepted.body['estimated_duration']).toMatch(/^(\d+h \d+m|\d+m \d+s|\d+s)$/);
    expect(accepted.body['created_at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);

    const id = text(accepted.body['job_id']);
    const query = requestLine('**Status Query:**').path.replace('job-abc123', id);
    const answer = await until(
      async () => (await send('GET', query)).body,
      (job) => job['status'] === 'converting' && (job['progress'] as JsonObject)['percent_complete'] === 67,
    );
    const { job_id: _id, ...rest } = STATUS;
    expect(answer).toMatchObject(rest);

    proceed.open();
    const done = (await client.reaches(id, 'completed')) as unknown as JsonObject;
    const { status: _word, ...completed } = COMPLETE;
    expect(differences(completed, done)).toEqual([]);
    expect(done).toMatchObject({
      vm_name: COMPLETE['vm_name'],
      modifications: COMPLETE['modifications'],
      conversion: { duration_seconds: COMPLETE['duration_seconds'] },
    });
  });

  it('tells of a failure with the same keys', async () => {
    const id = await client.convert('broken-db');
    const job = await client.when(id, (found) => found.status === 'failed' && found.retry_available);
    const { status, vm_name: _vm, ...keys } = FAILED;
    expect(differences(keys, job)).toEqual([]);
    expect(job).toMatchObject({
      status,
      error: FAILED['error'],
      retry_count: FAILED['retry_count'],
      retry_available: true,
    });
    expect(job.error_file).toMatch(/\.errors\/.*\.error\.json$/);
  });

  it('tells its health with the same keys and words', async () => {
    const wanted = example('### Health Checks');
    const health = await until(
      async () => (await send('GET', '/health')).body,
      (found) => found['status'] === wanted['status'],
    );
    expect(differences(wanted, health)).toEqual([]);
    expect(health).toMatchObject({ vsphere_connection: 'ok', python_daemon_reachable: true });
  });
});

describe('the control commands', () => {
  it('are all there', () => {
    const words = [...block('## Control commands').matchAll(/^([a-z][\w/-]+)\s+- /gm)].map(([, word]) => word);
    expect(words).toEqual([
      'status',
      'stats',
      'pause/resume',
      'drain/stop',
      'queue-job',
      'list-jobs',
      'job-status',
      'cancel-job',
      'set-priority',
    ]);
  });

  it('status: of a converter', async () => {
    const wanted = JSON.parse(block('**Python Daemon:**').replace(/^[^{]*/, '')) as JsonObject;
    const { body } = await send('GET', '/api/v1/workers/converter-1');
    expect(differences(wanted, body)).toEqual([]);
    expect(body).toMatchObject({ status: wanted['status'], paused: wanted['paused'] });
  });

  it('stats', async () => {
    const { status, body } = await send('GET', '/api/v1/stats');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      jobs: expect.any(Object),
      exporter: expect.any(Object),
      converter: expect.any(Object),
    });
  });

  it('pause, resume and drain: of a converter', async () => {
    for (const word of ['pause', 'drain', 'resume'])
      expect((await send('POST', `/api/v1/workers/converter-1/${word}`)).status).toBe(202);
    await until(
      async () => (await send('GET', '/api/v1/workers/converter-1')).body,
      (worker) => worker['status'] === 'running',
    );
  });

  it('queue-job: the conversion of an exported job, with fix options of its own', async () => {
    const { status, body } = await send('POST', '/api/v1/export', { ...REQUEST, vm_name: 'queued-db' });
    expect(status).toBe(202);
    const id = text(body['job_id']);
    await client.reaches(id, 'exported');
    const resting = await client.job(id);
    expect(resting).toMatchObject({ status: 'exported', conversion: { status: 'waiting' } });

    const queued = await send('POST', `/api/v1/jobs/${id}/convert`, { ...QUEUE, job_id: id });
    expect(queued.status).toBe(202);
    const { queue_position: _position, estimated_start: _start, ...words } = QUEUED;
    expect(queued.body).toMatchObject(words);
    expect(Object.keys(queued.body).toSorted()).toEqual(Object.keys(QUEUED).toSorted());
    await client.reaches(id, 'completed');
    const { rows } = await stack.db.query<{ options: JsonObject; priority: string }>(
      'SELECT options, priority FROM jobs WHERE id = $1',
      [id],
    );
    expect(rows[0]?.options).toMatchObject(QUEUE['options'] as JsonObject);
    expect(rows[0]?.priority).toBe(QUEUE['priority']);
  });

  it('list-jobs, job-status, set-priority, cancel-job', async () => {
    await send('POST', '/api/v1/workers/exporter-1/pause');
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const { body } = await send('POST', '/api/v1/convert', {
      ...REQUEST,
      vm_name: 'waiting-db',
      options: { not_before: later },
    });
    const id = text(body['job_id']);
    const list = (await send('GET', '/api/v1/jobs?status=pending')).body['jobs'] as JsonObject[];
    expect(list.map((job) => job['job_id'])).toContain(id);
    expect((await send('PATCH', `/api/v1/jobs/${id}`, { priority: 'high' })).body).toMatchObject({
      job_id: id,
      priority: 'high',
    });
    expect((await send('GET', `/api/v1/jobs/${id}`)).body).toMatchObject({ status: 'pending', priority: 'high' });
    expect((await send('DELETE', `/api/v1/jobs/${id}`)).body).toMatchObject({ status: 'cancelled' });
  });
});

describe('the table of jobs', () => {
  it('has every column with its type', async () => {
    const columns = [...block('**Table: jobs**').matchAll(/^ {4}(\w+) (TEXT|TIMESTAMP|INTEGER|JSON)\b/gm)];
    expect(columns.length).toBeGreaterThan(20);
    const { rows } = await stack.db.query<{ column_name: string; data_type: string }>(
      "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'jobs'",
    );
    const types = new Map(rows.map((row) => [row.column_name, row.data_type]));
    const same: Record<string, RegExp> = {
      TEXT: /^text$/,
      TIMESTAMP: /^timestamp with time zone$/,
      INTEGER: /^(integer|bigint)$/,
      JSON: /^jsonb$/,
    };
    for (const [, name = '', type = ''] of columns) expect(types.get(name), name).toMatch(same[type] ?? /never/);
  });
});
