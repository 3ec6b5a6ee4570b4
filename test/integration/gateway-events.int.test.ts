import { JobDetail, jobLog, jobProgress } from '@hyper2kvm/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startStack, type Gateway, type Stack } from './gateway-stack.js';
import { startWorkers } from './gateway-workers.js';

interface Sent {
  event: string;
  id: string | undefined;
  data: unknown;
}

let stack: Stack;
let gateway: Gateway;
let stopWorkers: () => Promise<void> = async () => {};
let release: () => void = () => {};

beforeAll(async () => {
  stack = await startStack();
  gateway = await stack.gateway();
  const gate = new Promise<void>((resolve) => (release = resolve));
  stopWorkers = await startWorkers(stack.nats.servers, {
    exporting: async (_, work) => {
      work.log('info', 'one');
      work.log('info', 'two');
      work.progress({ phase: 'export', percent_complete: 10 });
      await gate;
      work.progress({ phase: 'export', percent_complete: 100 });
      work.log('info', 'three');
    },
  });
});
afterAll(async () => {
  release();
  await stopWorkers();
  await stack?.stop();
});

/** Reads events until `enough` says so, or the server ends the stream. */
async function read(id: string, enough: (all: Sent[]) => boolean, lastEventId?: string): Promise<Sent[]> {
  const abort = new AbortController();
  const response = await fetch(`${gateway.url}/api/v1/jobs/${id}/events`, {
    signal: abort.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const all: Sent[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk as Uint8Array);
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const event = field('event');
      if (event !== undefined) all.push({ event, id: field('id'), data: JSON.parse(field('data') ?? 'null') });
    }
    if (enough(all)) break;
  }
  abort.abort();
  return all;
}

const of = (all: Sent[], event: string): Sent[] => all.filter((sent) => sent.event === event);
const message = (sent: Sent): string => jobLog.schema.parse(sent.data).message;
/** The lines of the stand-in, without those with which the runtime begins and ends an attempt. */
const own = (all: Sent[]): Sent[] => of(all, 'log').filter((sent) => !message(sent).includes(', attempt 1, '));

it('tells states, progress and log lines until the job ended, and resumes the log where the client left', async () => {
  const response = await fetch(`${gateway.url}/api/v1/convert`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ vm_name: 'vm', vcenter: { server: 'vc', username: 'u', password: 'p' } }),
  });
  const { job_id: id } = (await response.json()) as { job_id: string };

  const first = await read(id, (all) => own(all).length === 2 && of(all, 'progress').length > 0);
  expect(JobDetail.parse(first[0]?.data).job_id).toBe(id);
  expect(jobProgress.schema.parse(of(first, 'progress')[0]?.data).percent_complete).toBe(10);
  expect(own(first).map(message)).toEqual(['one', 'two']);

  release();
  const rest = await read(id, () => false, own(first)[1]?.id);
  expect(own(rest).map(message)).toEqual(['three']);
  expect(rest.at(-1)?.event).toBe('end');
  expect(JobDetail.parse(rest.at(-1)?.data).status).toBe('completed');
  const states = of(rest, 'job').map((sent) => JobDetail.parse(sent.data).status);
  expect(states.at(-1)).toBe('completed');

  const late = await read(id, () => false);
  expect(late.map((sent) => sent.event).filter((event) => event !== 'log' && event !== 'progress')).toEqual([
    'job',
    'end',
  ]);
  expect(own(late)).toHaveLength(3);
});

it('a gateway stops although somebody follows a job that does not end', async () => {
  const { rows } = await stack.db.query<{ id: string }>('SELECT id FROM jobs');
  const id = rows[0]?.id ?? '';
  await stack.db.query("UPDATE jobs SET status = 'exporting', version = version + 1 WHERE id = $1", [id]);
  const response = await fetch(`${gateway.url}/api/v1/jobs/${id}/events`);
  expect(response.status).toBe(200);
  await gateway.kill('SIGTERM');
  expect(gateway.log()).toContain('"msg":"stopped"');
  await expect(response.text()).rejects.toThrow();
});
