import { expect, inject, it } from 'vitest';
import { ERRORS, type NotificationTest } from '@hyper2kvm/contracts';
import { ended, hyperctl, hyperctlJson, job, json, StandIn, until } from '../site/index.js';

/** Bodies that came there, of this test alone. */
async function told(path: string): Promise<string[]> {
  const seen = (await (await fetch(inject('site').receiver)).json()) as { path: string; body: string }[];
  return seen.filter((one) => one.path === path).map(({ body }) => body);
}

it('hyperctl notify test: sends to everything that is configured, and says what became of it', async () => {
  const ran = await hyperctl(['notify', 'test']);
  expect(ran.exitCode).toBe(1);
  const [head = '', ...lines] = ran.stdout.split('\n');
  expect(head).toMatch(/^CHANNEL +TARGET +RESULT +SECONDS +ANSWER$/);
  expect(lines.map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ['email', 'ops@example.com', 'delivered'],
    ['slack', expect.stringMatching(/ops|127\.0\.0\.1/) as string, 'delivered'],
    ['webhook', expect.stringMatching(/cmdb|127\.0\.0\.1/) as string, 'delivered'],
    ['webhook', expect.stringMatching(/gone|127\.0\.0\.1/) as string, 'failed'],
  ]);
  expect(lines[0]).toMatch(/ 250 /);
  expect(lines[3]).toContain('410');
  expect(ran.stderr).toMatch(
    /^Error: not delivered: webhook .*\n {2}try: .*webhook.*2xx.*\n.*hyperctl daemon logs notifier/,
  );
  expect(ran.stdout + ran.stderr).not.toContain('geheim');
  expect((await told('/services/T0/B0/geheim')).some((body) => /test/i.test(body))).toBe(true);
  expect(await told('/cmdb/geheim')).not.toEqual([]);
});

it('sends to one channel, or to one who is named', async () => {
  const { results } = await hyperctlJson<NotificationTest>(['notify', 'test', '--channel', 'slack']);
  expect(results).toMatchObject([{ channel: 'slack', delivered: true }]);
  // By what it is: an e-mail address, and an address that nobody configured.
  const mail = await hyperctlJson<NotificationTest>(['notify', 'test', '--to', 'ann@example.com']);
  expect(mail.results).toMatchObject([{ channel: 'email', target: 'ann@example.com', delivered: true }]);
  const url = `${inject('site').receiver}/of-a-test?key=geheim`;
  const other = await hyperctl(['notify', 'test', '--to', url]);
  expect(other).toMatchObject({ exitCode: 0, stderr: '' });
  expect(other.stdout).not.toMatch(/of-a-test|geheim/);
  expect(await told('/of-a-test?key=geheim')).toHaveLength(1);
  const gone = await hyperctl(['notify', 'test', '--channel', 'webhook', '--to', 'gone', '--json']);
  expect(gone).toMatchObject({ exitCode: 1, stderr: '' });
  expect(JSON.parse(gone.stdout)).toMatchObject({ results: [{ channel: 'webhook', delivered: false }] });
});

it('says what is wrong with what was asked', async () => {
  const name = await hyperctl(['notify', 'test', '--to', 'nobody']);
  expect(name).toMatchObject({ exitCode: 2, stdout: '' });
  expect(name.stderr).toContain('--channel email|slack|webhook');
  const metadata = await hyperctl(['notify', 'test', '--to', 'http://169.254.169.254/latest']);
  expect(metadata.exitCode).toBe(2);
  expect(metadata.stderr).toContain('link-local');
  expect((await hyperctl(['notify', 'test', '--channel', 'pigeon'])).exitCode).toBe(2);
});

it('says which keys to set where nothing is configured, and how to start a notifier where none is', async () => {
  let answer: readonly [number, object] = [200, { results: [], message: 'No channel is configured.' }];
  const standIn = await new StandIn((_path, _request, response) => json(response, ...answer)).start();
  const env = { HYPER2KVM_URL: standIn.url };
  try {
    const ran = await hyperctl(['notify', 'test'], env);
    expect(ran).toMatchObject({ exitCode: 1, stdout: '' });
    for (const key of ['notifier.smtp.host', 'notifier.slack.webhooks', 'notifier.webhook.endpoints'])
      expect(ran.stderr).toContain(key);
    const one = await hyperctl(['notify', 'test', '--channel', 'slack'], env);
    expect(one.stderr).toContain('notifier.slack.webhooks');
    expect(one.stderr).not.toContain('smtp');
    const { status, title, advice } = ERRORS.NO_WORKER;
    answer = [status, { type: 'x', title, status, detail: 'no notifier is running', code: 'NO_WORKER', advice }];
    const none = await hyperctl(['notify', 'test'], env);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toMatch(/no notifier is running\n.*hyperctl daemon start/);
  } finally {
    await standIn.stop();
  }
});

it('whom a job or a batch names hears of its end: Slack of the configuration, and a callback of a flag', async () => {
  const { receiver } = inject('site');
  const [slack, callback] = [`${receiver}/hooks/geheim`, `${receiver}/callback/geheim`];
  const env = { HYPER2KVM_SLACK_WEBHOOK: slack };
  const asked = ['convert', '--vm', 'notify-1', '--detach', '--notify', 'ann@example.com', '--callback-url', callback];
  const { job_id: id } = await hyperctlJson<{ job_id: string }>(asked, env);
  const wishes = { notify_email: 'ann@example.com', slack_webhook: `${receiver}/[redacted]` };
  expect(await ended(id)).toMatchObject({ ...wishes, callback_url: `${receiver}/[redacted]`, status: 'completed' });
  const status = await hyperctl(['status', '--job', id]);
  expect(status.stdout).toContain(`Slack:         ${receiver}/[redacted]\n`);
  expect(status.stdout).toContain(`Trace:         ${(await job(id)).trace_id}`);

  const batch = await hyperctl(['convert', '--batch', '-', '--quiet'], env, { stdin: 'pipe', input: 'notify-2\n' });
  expect(batch).toMatchObject({ exitCode: 0, stdout: '' });
  // One message of each; of the batch, not of its VM.
  const messages = await until(
    () => told('/hooks/geheim'),
    ({ length }) => length >= 2,
  );
  expect(messages).toHaveLength(2);
  expect(messages[0]).toContain(id);
  expect(messages[1]).toContain('batch-');
  expect((await told('/callback/geheim')).map((body) => JSON.parse(body) as unknown)).toMatchObject([
    { job_id: id, status: 'success' },
  ]);
});
