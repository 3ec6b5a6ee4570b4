import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { hookRequested, type HookRequested } from '@hyper2kvm/contracts';
import { createLogger } from '@hyper2kvm/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HooksConfig, HooksService } from '../src/hooks/index.js';
import { printable, Tail } from '../src/hooks/output.js';

const ABOUT = {
  moment: 'after',
  scope: 'vm',
  job_id: 'job-abc123',
  vm_name: 'db; $(reboot) "x"',
  status: 'completed',
} as const;
const sh = (script: string): { argv: string[] } => ({ argv: ['/bin/sh', '-c', script, 'hook'] });
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'h2k-hooks-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(hook: object, config: object = {}, signal: AbortSignal = new AbortController().signal) {
  const data: HookRequested = hookRequested.schema.parse({
    job_id: 'hook-abc123',
    attempt: 1,
    generation: 0,
    lane: 'normal',
    pool: 'any',
    hook,
    about: ABOUT,
  });
  return new HooksService({ hooks: HooksConfig.parse(config) }, createLogger('test', 'error')).run(data, { signal });
}
const failure = (message: RegExp | string) =>
  expect.objectContaining({ code: 'HOOK_FAILED', message: expect.stringMatching(message) });
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const gone = async (pid: number): Promise<void> => expect.poll(() => alive(pid), { timeout: 8_000 }).toBe(false);
const pidIn = async (file: string): Promise<number> => {
  await expect
    .poll(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), { timeout: 10_000 })
    .toBe(true);
  return Number(readFileSync(file, 'utf8'));
};

describe('the command of a hook', () => {
  it('gets what it is about as variables and JSON, its arguments as they are, and nothing of our environment', async () => {
    process.env['HYPER2KVM_SECRETS__KEY'] = 'not for hooks';
    const commands = { show: { ...sh('cat; for word; do echo "[$word]"; done; env'), env: { ZONE: 'example.com' } } };
    const { code, output } = await run({ command: 'show', args: ['a b', '$HOME', '-n'] }, { commands });
    delete process.env['HYPER2KVM_SECRETS__KEY'];
    const [about = '', ...lines] = output.trim().split('\n');
    expect(code).toBe(0);
    expect(JSON.parse(about)).toEqual(ABOUT);
    expect(lines.slice(0, 3)).toEqual(['[a b]', '[$HOME]', '[-n]']);
    const names = lines.slice(3).map((line) => line.split('=')[0]);
    expect(lines).toContain('HYPER2KVM_VM_NAME=db; $(reboot) "x"');
    expect(lines).toContain('ZONE=example.com');
    expect(
      names.filter(
        (name) =>
          !/^(HYPER2KVM_(MOMENT|SCOPE|JOB_ID|VM_NAME|STATUS)|ZONE|PATH|LANG|PWD|OLDPWD|SHLVL|_)$/.test(name ?? ''),
      ),
    ).toEqual([]);
  });

  it('says what went wrong by its last line', async () => {
    const commands = { dns: sh('echo begun; printf "no such \\033[31mzone\\033[0m\\n\\n" >&2; exit 2') };
    await expect(run({ command: 'dns' }, { commands })).rejects.toEqual(
      failure(/^The hook dns ended with exit code 2: no such zone$/),
    );
  });

  it('is one of the allow-list, and the refusal says which there are', async () => {
    const commands = { dns: sh('true'), cmdb: sh('true') };
    await expect(run({ command: 'rm' }, { commands })).rejects.toEqual(failure(/has no rm; there are dns, cmdb/));
    await expect(run({ command: 'constructor' })).rejects.toEqual(failure(/there are none/));
    await expect(run({ command: 'gone' }, { commands: { gone: { argv: ['/no/such'] } } })).rejects.toEqual(
      failure('exit code 127'),
    );
    await expect(run({ command: 'dns', args: ['a\0b'] }, { commands })).rejects.toEqual(failure('NUL'));
    expect(HooksConfig.safeParse({ commands: { a: { argv: ['sh', '-c', 'x'] } } }).success).toBe(false);
  });

  it('and everything that it started ends at its time limit; the shorter one counts', async () => {
    const file = path.join(folder, 'late');
    const commands = {
      slow: { ...sh(`trap "" TERM; sleep 60 & echo $! > ${file}; wait; sleep 60`), timeout_seconds: 1 },
    };
    await expect(run({ command: 'slow', timeout_seconds: 50 }, { commands })).rejects.toEqual(
      failure('did not end within 1 s'),
    );
    await gone(await pidIn(file));
  });

  it('ends when the work is stopped, with the reason of that', async () => {
    const file = path.join(folder, 'stopped');
    const stop = new AbortController();
    const running = run({ command: 'slow' }, { commands: { slow: sh(`echo $$ > ${file}; sleep 60`) } }, stop.signal);
    const settled = running.catch((error: unknown) => error);
    const pid = await pidIn(file);
    stop.abort(new Error('cancelled'));
    expect(await settled).toMatchObject({ message: 'cancelled' });
    await gone(pid);
  });

  it('may print without end', async () => {
    const { output } = await run(
      { command: 'chat' },
      { commands: { chat: sh('yes ä | head -c 3000000; echo the end') } },
    );
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(16_384);
    expect(output).toMatch(/^[ä\n]+the end\n$/);
  });
});

describe('output', () => {
  it('is kept from its end, without control characters or halves of characters', () => {
    const tail = new Tail();
    for (let at = 0; at < 100; at += 1) tail.add(Buffer.from('ä'.repeat(501)));
    expect(tail.text()).toBe('ä'.repeat(8192));
    expect(printable(Buffer.from(`x${'ä'.repeat(8192)}y`))).toBe(`${'ä'.repeat(8191)}y`);
    expect(printable(Buffer.from('a\0b\tc\r\n\u0085d\u0007'))).toBe('ab\tc\nd');
  });
});

describe('the HTTP call of a hook', () => {
  let server: Server;
  let url: string;
  let answer: [number, string] = [200, 'noted'];
  let got: { headers: Record<string, unknown>; body: string } | undefined;
  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        got = { headers: request.headers, body };
        if (request.url !== '/slow') response.writeHead(answer[0]).end(answer[1]);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    answer = [200, 'noted'];
    got = undefined;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is signed, and tells what it is about', async () => {
    expect(await run({ url: `${url}/hook` }, { secret: 'sesame' })).toMatchObject({ code: 200, output: 'noted' });
    expect(JSON.parse(got?.body ?? '')).toEqual(ABOUT);
    const signed = `hook-abc123.${String(got?.headers['webhook-timestamp'])}.${got?.body}`;
    expect(got?.headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', 'sesame').update(signed).digest('base64')}`,
    );
  });

  it('fails without a 2xx, or in time', async () => {
    answer = [409, 'frozen\nuntil Monday'];
    await expect(run({ url })).rejects.toEqual(failure(/answered 409: until Monday$/));
    await expect(run({ url: `${url}/slow`, timeout_seconds: 1 })).rejects.toEqual(failure('did not answer within 1 s'));
    await expect(run({ url: 'http://169.254.169.254/' })).rejects.toEqual(failure('link-local'));
  });

  it('goes nowhere but where it may', async () => {
    await expect(run({ url }, { allow_urls: ['https://cmdb.example.com'] })).rejects.toEqual(
      failure('hooks.allow_urls'),
    );
    await expect(run({ url: `${url}/a/../b` }, { allow_urls: [`${url}/a/`] })).rejects.toEqual(
      failure('hooks.allow_urls'),
    );
    expect(got).toBeUndefined();
    expect(await run({ url: `${url}/a/b` }, { allow_urls: ['https://x.example', `${url}/a/`] })).toMatchObject({
      code: 200,
    });
  });
});
