import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { completed, converting, exporting, failed, job, JOB_ID } from '../support/cli-samples.js';
import { startOtlpReceiver } from '../support/otlp.js';
import { hyperctl, json, StandIn } from './cli-standin.js';

// The gateway here is a stand-in (cli-standin.ts): what is tested is hyperctl, as a process, against the wire of the contracts.
let gateway: StandIn | undefined;
afterEach(async () => gateway?.stop());

const ACCEPTED = {
  job_id: JOB_ID,
  status: 'started',
  vm_name: 'production-db',
  disks: [{ name: 'production-db.vmdk', size_gb: 100, capacity_bytes: 100e9, status: 'queued' }],
  created_at: '2026-01-17T10:00:00Z',
  estimated_duration: null,
};
const problem = (status: number, code: string, detail: string): object => ({
  type: 'about:blank',
  title: code,
  status,
  detail,
  code,
  advice: 'try this',
  trace_id: 'e'.repeat(32),
});
const send = (response: ServerResponse, event: string, data: unknown, id?: string): void => {
  response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
};
const stream = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
};
const log = (message: string): object => ({
  job_id: JOB_ID,
  time: '2026-01-17T10:00:01Z',
  level: 'info',
  phase: 'conversion',
  step: 'inspect',
  message,
});
const page = (count: number, from: number, cursor: string | null): object => ({
  jobs: Array.from({ length: count }, (_, index) => job({ job_id: `job-${String(from + index).padStart(6, '0')}` })),
  next_cursor: cursor,
});
const CONVERT = ['convert', '--vm', 'production-db', '--vcenter', 'vc.example.com', '--username', 'u'];

/** Events of a job from its start to `end`. */
const serve = async (end: object): Promise<StandIn> => {
  gateway = await new StandIn((path, _request, response) => {
    if (path === '/api/v1/convert') return json(response, 202, ACCEPTED);
    if (path.endsWith('/events')) {
      stream(response);
      send(response, 'job', job());
      send(response, 'progress', exporting([60, 40], ['done', 'done']));
      send(response, 'progress', converting('inspect', 0));
      send(response, 'log', log('Detected: Debian GNU/Linux 12'), '1');
      send(response, 'end', end);
      response.end();
    } else json(response, 200, end);
  }).start();
  return gateway;
};

describe('hyperctl convert', () => {
  it('shows plain lines where there is no terminal, and ends with 0 when the job is done', async () => {
    const { url, requests } = await serve(completed());
    const run = await hyperctl([...CONVERT, '--url', url, '--verify-boot'], { VSPHERE_PASSWORD: 'geheim' });
    expect(run.exitCode, String(run.stderr)).toBe(0);
    expect(run.stdout).toMatch(/^\S+Z Phase 4: Converting to KVM$/m);
    expect(run.stdout).toMatch(/Z Detected: Debian GNU\/Linux 12$/m);
    expect(run.stdout).toContain('✅ Conversion Successful');
    expect(run.stdout).not.toContain('\u001b');
    expect(requests[0]?.body).toEqual({
      vm_name: 'production-db',
      vcenter: { server: 'vc.example.com', username: 'u', password: 'geheim' },
      options: { verify_boot: true },
    });
    // What follows the job is no part of its trace.
    const traceOf = (wanted: boolean): Set<string> =>
      new Set(
        requests
          .filter(({ method }) => (method === 'POST') === wanted)
          .map(({ headers }) => String(headers['traceparent']).split('-')[1] ?? ''),
      );
    const [job, questions] = [[...traceOf(true)], [...traceOf(false)]];
    expect([job, questions]).toEqual([
      [expect.stringMatching(/^[0-9a-f]{32}$/)],
      [expect.stringMatching(/^[0-9a-f]{32}$/)],
    ]);
    expect(questions).not.toEqual(job);
  });

  it('prints exactly one document with --json, nothing with --quiet', async () => {
    const { url } = await serve(completed());
    const asJson = await hyperctl([...CONVERT, '--url', url, '--json']);
    expect(JSON.parse(String(asJson.stdout))).toEqual(completed());
    expect(asJson.stderr).toBe('');
    const quiet = await hyperctl([...CONVERT, '--quiet'], { HYPER2KVM_URL: url });
    expect([quiet.exitCode, quiet.stdout, quiet.stderr]).toEqual([0, '', '']);
  });

  it('ends with 1 when the job failed, and says why', async () => {
    const { url } = await serve(failed());
    const run = await hyperctl([...CONVERT, '--url', url]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('no space left in /srv/out');
    expect(JSON.parse(String((await hyperctl([...CONVERT, '--url', url, '--json'])).stdout))).toMatchObject({
      status: 'failed',
    });
  });

  it('only starts the job with --detach', async () => {
    const { url, requests } = await serve(completed());
    const run = await hyperctl([...CONVERT, '--url', url, '--detach']);
    expect(run.stdout).toContain(`hyperctl status --job ${JOB_ID} --follow`);
    expect(requests.map(({ path }) => path)).toEqual(['/api/v1/convert']);
  });

  it('goes on after the gateway was away, with Last-Event-ID, and says so', async () => {
    let streams = 0;
    const away: StandIn = new StandIn((path, request, response) => {
      if (path === '/health') return json(response, 404, {});
      if (path === '/api/v1/convert') return json(response, 202, ACCEPTED);
      stream(response);
      streams += 1;
      send(response, 'job', job({ status: 'exporting' }));
      if (streams === 1) return send(response, 'log', log('before'), '41');
      send(response, 'log', log(`after ${String(request.headers['last-event-id'])}`), '42');
      send(response, 'end', completed());
      response.end();
    });
    gateway = await away.start();
    const running = hyperctl([...CONVERT, '--url', away.url]);
    await expect.poll(() => streams, { timeout: 20_000 }).toBe(1);
    await sleep(300);
    await away.stop();
    await sleep(1500);
    await away.start();
    const run = await running;
    expect(run.exitCode, String(run.stderr)).toBe(0);
    expect(run.stdout).toMatch(/before[\s\S]*gateway does not answer[\s\S]*gateway is back[\s\S]*after 41/);
  });

  it('waits for the next attempt of a job that failed for now', async () => {
    let streams = 0;
    gateway = await new StandIn((path, _request, response) => {
      if (path === '/health') return json(response, 404, {});
      if (path === '/api/v1/convert') return json(response, 202, ACCEPTED);
      stream(response);
      streams += 1;
      send(
        response,
        'end',
        streams === 1 ? failed({ next_retry_at: new Date(Date.now() + 500).toISOString() }) : completed(),
      );
      response.end();
    }).start();
    const run = await hyperctl([...CONVERT, '--url', gateway.url]);
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/The attempt failed \(DISK_FULL[\s\S]*Conversion Successful/);
  });

  it('leaves the job alone at Ctrl-C and says how to follow it', async () => {
    let open = false;
    gateway = await new StandIn((path, _request, response) => {
      if (path === '/health') return json(response, 404, {});
      if (path === '/api/v1/convert') return json(response, 202, ACCEPTED);
      stream(response);
      send(response, 'job', job({ status: 'exporting' }));
      open = true;
    }).start();
    const running = hyperctl([...CONVERT, '--url', gateway.url]);
    await expect.poll(() => open, { timeout: 20_000 }).toBe(true);
    await sleep(200);
    running.kill('SIGINT');
    const run = await running;
    expect(run.exitCode).toBe(130);
    expect(run.stderr).toContain(
      `Follow it: hyperctl status --job ${JOB_ID} --follow\n  Cancel it: hyperctl cancel --job ${JOB_ID}`,
    );
    expect(gateway.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });
});

describe('hyperctl says what is wrong', () => {
  const cases: readonly [name: string, status: number, code: string, exit: number][] = [
    ['an unknown VM', 404, 'VM_NOT_FOUND', 4],
    ['a wrong password', 401, 'VCENTER_LOGIN', 5],
    ['a token that may not', 403, 'FORBIDDEN', 5],
    ['an unreachable vCenter', 502, 'VCENTER_UNREACHABLE', 1],
  ];
  it.each(cases)('%s', async (_name, status, code, exit) => {
    gateway = await new StandIn((_path, _request, response) =>
      json(response, status, problem(status, code, 'it is like this')),
    ).start();
    const run = await hyperctl([...CONVERT, '--url', gateway.url, '--token', 'abc']);
    expect(run.exitCode).toBe(exit);
    expect(run.stderr).toBe(
      `Error: ${code}\n  why:   it is like this\n  try:   try this\n  code:  ${code}\n  trace: ${'e'.repeat(32)}`,
    );
    expect(gateway.requests[0]?.headers.authorization).toBe('Bearer abc');
    const asJson = await hyperctl([...CONVERT, '--url', gateway.url, '--json']);
    expect(JSON.parse(String(asJson.stdout))).toMatchObject({ error: { code } });
  });

  it('a gateway that is not there: 3, and how to start it', async () => {
    const url = 'http://127.0.0.1:10';
    for (const command of [CONVERT, ['list'], ['status', '--job', JOB_ID, '--follow'], ['logs', '--vm', 'x']]) {
      const run = await hyperctl([...command, '--url', url]);
      expect(run.exitCode, command[0]).toBe(3);
      expect(run.stderr).toContain('start it: hyperctl daemon start --all');
      expect(run.stderr).not.toMatch(/\n\s+at /);
    }
  });

  it('something else that listens there: 3', async () => {
    gateway = await new StandIn((_path, _request, response) => response.end('<html>hello</html>')).start();
    const run = await hyperctl(['list', '--url', gateway.url]);
    expect([run.exitCode, run.stderr]).toEqual([3, expect.stringContaining('was not understood')]);
  });

  it('usage: 2', async () => {
    for (const args of [
      ['convert'],
      ['status'],
      [...CONVERT, '--priority', 'urgent'],
      ['list', '--status', 'lost'],
      ['nonsense'],
    ]) {
      const run = await hyperctl([...args, '--url', 'http://127.0.0.1:9']);
      expect(run.exitCode, args.join(' ')).toBe(2);
      expect(run.stderr).not.toMatch(/\n\s+at /);
    }
  });
});

describe('hyperctl list, status and logs', () => {
  it('show the newest job of a VM, its log, and lists of any length', async () => {
    gateway = await new StandIn((path, _request, response) => {
      if (path.includes('/logs')) return json(response, 200, { job_id: JOB_ID, lines: [log('one line')] });
      if (path.includes('vm=production-db')) return json(response, 200, page(1, 7, null));
      if (path.includes('cursor=next')) return json(response, 200, page(3, 500, null));
      if (path.startsWith('/api/v1/jobs?')) return json(response, 200, page(500, 0, 'next'));
      return json(response, 200, job({ job_id: 'job-000007' }));
    }).start();
    const { url } = gateway;
    const list = await hyperctl(['list', '--url', url, '--status', 'failed,pending']);
    expect(String(list.stdout).split('\n')).toHaveLength(1 + 503);
    expect(gateway.requests[0]?.path).toContain('status=failed%2Cpending');
    expect(JSON.parse(String((await hyperctl(['list', '--url', url, '--json'])).stdout)).jobs).toHaveLength(503);
    expect((await hyperctl(['status', '--vm', 'production-db', '--url', url])).stdout).toContain(
      'Job ID:        job-000007',
    );
    expect((await hyperctl(['logs', '--job', JOB_ID, '--tail', '50', '--url', url])).stdout).toBe(
      '2026-01-17T10:00:01Z INFO  inspect: one line',
    );
    expect(gateway.requests.at(-1)?.path).toContain('tail=50');
  });

  it('follow a log without a gap and without a line twice', async () => {
    gateway = await new StandIn((path, _request, response) => {
      if (!path.includes('/logs')) return json(response, 200, job());
      const lines = ['a', 'b'].map((line, index) => ({ ...log(line), seq: index + 1 }));
      if (!path.includes('follow=true')) return json(response, 200, { job_id: JOB_ID, lines });
      stream(response);
      const after = Number(/after=(\d+)/.exec(path)?.[1]);
      // The connection breaks once in between.
      for (const [index, line] of ['a', 'b', 'c', 'd'].entries())
        if (index + 1 > after && index < after + 1) send(response, 'log', log(line), String(index + 1));
      if (after >= 3) send(response, 'end', completed());
      response.end();
    }).start();
    const run = await hyperctl(['logs', '--job', JOB_ID, '--follow', '--level', 'warn', '--url', gateway.url]);
    expect(
      String(run.stdout)
        .split('\n')
        .map((line) => line.at(-1)),
    ).toEqual(['a', 'b', 'c', 'd']);
    expect(run.exitCode).toBe(0);
    const asked = gateway.requests.map(({ path }) => path).filter((path) => path.includes('/logs'));
    expect(asked.filter((path) => !path.includes('level=warn'))).toEqual([]);
  });

  it('show what programs printed where that is asked for', async () => {
    gateway = await new StandIn((path, _request, response) => {
      const said = { ...log('a \u001b[31mwarning\nand more'), level: 'debug', source: 'qemu-img' };
      const lines = [log('inspect: done in 2s'), ...(path.includes('level=debug') ? [said] : [])];
      json(response, 200, path.includes('/logs') ? { job_id: JOB_ID, lines } : job());
    }).start();
    const shown = async (...flags: string[]): Promise<string> =>
      String((await hyperctl(['logs', '--job', JOB_ID, ...flags, '--url', `${gateway?.url}`])).stdout);
    const sentence = '2026-01-17T10:00:01Z INFO  inspect: done in 2s';
    expect(await shown()).toBe(sentence);
    expect(await shown('--verbose')).toBe(
      [
        sentence,
        '2026-01-17T10:00:01Z DEBUG   qemu-img: a [31mwarning',
        '2026-01-17T10:00:01Z DEBUG   qemu-img: and more',
      ].join('\n'),
    );
    expect(JSON.parse(await shown('--json'))).toMatchObject({ lines: [{}, { source: 'qemu-img' }] });
  });
});

describe('tracing', () => {
  it('sends the root span, and its trace with each change, where an endpoint is named', async () => {
    const collector = await startOtlpReceiver();
    try {
      const { url, requests } = await serve(completed());
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
      const run = await hyperctl([...CONVERT, '--url', url], env);
      expect(run.exitCode, String(run.stderr)).toBe(0);
      const root = collector.spans.find(({ name }) => name === 'hyperctl convert');
      expect(root).toMatchObject({ service: 'hyperctl', attributes: { 'job.id': completed().job_id } });
      expect(root?.parentId).toBeUndefined();
      const following = collector.spans.find(({ name }) => name === 'hyperctl follow');
      expect(following).toMatchObject({ traceId: root?.traceId, parentId: root?.spanId });
      // The root has ended when the job was taken on.
      expect(root?.end).toBeLessThanOrEqual(following?.start ?? 0);
      const parents = requests.map(({ method, headers }) => `${method} ${String(headers['traceparent'])}`);
      expect(parents.filter((one) => one.startsWith('POST'))).toEqual([`POST 00-${root?.traceId}-${root?.spanId}-01`]);
      for (const one of parents.filter((each) => each.startsWith('GET'))) {
        expect(one).toMatch(/-00$/);
        expect(one).not.toContain(root?.traceId);
      }
      // What the sampler leaves out is not sent; whoever is asked may decide otherwise.
      const before = collector.spans.length;
      requests.length = 0;
      await hyperctl([...CONVERT, '--url', url], { ...env, OTEL_TRACES_SAMPLER: 'always_off' });
      expect(collector.spans).toHaveLength(before);
      expect(requests.find(({ method }) => method === 'POST')?.headers['traceparent']).toMatch(/-00$/);
      // A failure is told to the collector, too.
      await hyperctl(['list', '--url', 'http://127.0.0.1:9'], env);
      expect(collector.spans.map(({ name }) => name)).toContain('hyperctl list');
    } finally {
      await collector.stop();
    }
  });

  it('does not wait for a collector that is not there', async () => {
    const { url } = await serve(completed());
    const run = await hyperctl(['list', '--url', url], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    expect(run.stderr).not.toMatch(/\n\s+at /);
  });
});
