// Requests that do not get through as they should: cut off, repeated, refused. The gateway is a stand-in.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { batch, BATCH_ID, job, JOB_ID } from '../support/cli-samples.js';
import { refuse, Served } from './cli-served.js';
import { hyperctl, json } from './cli-standin.js';

const gateway = new Served();
let server: Server | undefined;
afterEach(async () => {
  await gateway.stop();
  server?.close();
});

const RETRY = ['retry', '--job', JOB_ID, '--detach'];
const cut = (response: ServerResponse): void => {
  response.socket?.destroy();
};
const keys = (): unknown[] => gateway.requests.map(({ headers }) => headers['idempotency-key']);

it('sends a POST that was cut again, with the same key, and another one with another', async () => {
  let asked = 0;
  await gateway.serve((_call, response) => {
    asked += 1;
    if (asked === 1) return cut(response);
    if (asked === 2) {
      response.writeHead(202, { 'content-type': 'application/json', 'content-length': '5000' });
      response.write('{"job_id":');
      setTimeout(() => cut(response), 50);
      return;
    }
    if (asked === 3) {
      response.setHeader('retry-after', '1');
      return refuse(response, 409, 'STATE_CONFLICT');
    }
    json(response, 202, job({ status: 'pending' }));
  });
  const first = await gateway.run(...RETRY);
  expect([first.exitCode, first.stderr]).toEqual([0, '']);
  expect(asked).toBe(4);
  expect(new Set(keys()).size).toBe(1);
  expect(keys()[0]).toMatch(/^[0-9a-f-]{36}$/);
  await gateway.run(...RETRY);
  expect(new Set(keys()).size).toBe(2);
});

it('gives up after some tries, and asks nothing twice that was answered', async () => {
  await gateway.serve((_call, response) => cut(response));
  const run = await gateway.run(...RETRY);
  expect([run.exitCode, run.stderr]).toEqual([3, expect.stringContaining('the connection was cut')]);
  expect(gateway.requests).toHaveLength(5);
  const before = gateway.requests.length;
  // What changes nothing by itself has no key and is not sent again.
  expect((await gateway.run('cancel', '--job', JOB_ID)).exitCode).toBe(3);
  expect(gateway.requests).toHaveLength(before + 1);
  await gateway.serve((_call, response) => refuse(response, 409, 'STATE_CONFLICT'));
  expect((await gateway.run(...RETRY)).exitCode).toBe(1);
  expect(gateway.requests).toHaveLength(1);
});

it('tells how long to wait where there were too many requests', async () => {
  await gateway.serve((_call, response) => {
    response.setHeader('retry-after', '17');
    refuse(response, 429, 'RATE_LIMITED');
  });
  const run = await gateway.run(...RETRY);
  expect([run.exitCode, run.stderr]).toEqual([
    1,
    expect.stringMatching(/try: +again in 17 s[\s\S]*code: +RATE_LIMITED/),
  ]);
  await gateway.serve((_call, response) => refuse(response, 422, 'IDEMPOTENCY_CONFLICT'));
  expect((await gateway.run(...RETRY)).stderr).toContain('IDEMPOTENCY_CONFLICT');
});

it('watches a batch over an absence of the gateway', async () => {
  let looks = 0;
  await gateway.serve((call, response) => {
    if (call.includes('/api/v1/jobs?')) return json(response, 200, { jobs: [], next_cursor: null });
    looks += 1;
    if (looks === 3) return cut(response);
    const over = batch({ status: 'completed', percent_complete: 100 }, { pending: 0, completed: 4 });
    json(response, 200, looks > 4 ? over : batch());
  });
  const run = await gateway.run('batches', 'watch', BATCH_ID);
  expect(run.exitCode, String(run.stderr)).toBe(0);
  expect(run.stdout).toMatch(/does not answer[\s\S]*is back[\s\S]*is through: 4 of 4 done/);
});

it('speaks over a unix socket', async () => {
  const socket = path.join(tmpdir(), `h2k-${randomUUID().slice(0, 8)}.sock`);
  const hosts: unknown[] = [];
  server = createServer((request, response) => {
    hosts.push(request.headers.host);
    json(response, 200, { jobs: [], next_cursor: null });
  }).listen(socket);
  await once(server, 'listening');
  const run = await hyperctl(['list', '--url', `unix:${socket}`]);
  expect([run.exitCode, run.stdout, hosts]).toEqual([0, 'No jobs.', ['localhost']]);
  await rm(socket, { force: true });
});
