/** A run in which every way that a secret comes in is used, and every kind of end is come to. */
import { fileURLToPath } from 'node:url';
import { BatchDetail, ConvertAccepted, JobDetail, TokenCreated } from '@hyper2kvm/contracts';
import { execa } from 'execa';
import { expect } from 'vitest';
import { formsOf } from '../support/canary/forms.js';
import { LUKS, PASSWORD, PLANTED, TOKEN, WEBHOOK, WRONG, type World } from './gateway-secrets-world.js';
import { until } from './gateway-stack.js';

const CLI = fileURLToPath(new URL('../../cli/bin/run.js', import.meta.url));

/** What came of it. */
export interface Done {
  readonly completed: string;
  readonly batch: string;
  readonly worker: string;
  /** The token that was made. */
  readonly made: string;
}

/** All ways in, and all kinds of ends. */
export async function fullRun(world: World): Promise<Done> {
  const { ask, bus, mailbox, quiet, roots, seen, url, vcsim } = world;
  const login = (password = PASSWORD) => ({
    server: vcsim.host,
    username: vcsim.username,
    password,
    thumbprint: vcsim.thumbprint,
  });
  const luks_keys = [{ key_base64: Buffer.from(LUKS).toString('base64') }];

  const convert = async (vm_name: string, options: object, rest: object, headers = {}): Promise<string> => {
    const answer = await ask('POST', '/api/v1/convert', { body: { vm_name, options, ...rest }, headers });
    expect(answer.status, answer.text).toBe(202);
    return answer.json(ConvertAccepted).job_id;
  };
  const reaches = (id: string, status: string): Promise<JobDetail> =>
    until(
      async () => (await ask('GET', `/api/v1/jobs/${id}`)).json(JobDetail),
      (job) => job.status === status,
      60_000,
    );

  expect((await ask('GET', '/api/v1/jobs', { token: `${TOKEN}wrong` })).status).toBe(401);
  // The one answer that shows a token is not kept.
  const created = await fetch(`${url}/api/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'idempotency-key': 'a-token' },
    body: JSON.stringify({ name: 'made', role: 'admin' }),
  });
  const { token: made } = TokenCreated.parse(await created.json());

  expect((await ask('POST', '/api/v1/vcenters', { body: { name: 'canary', ...login() }, token: made })).status).toBe(
    201,
  );
  expect((await ask('PUT', '/api/v1/vcenters/canary', { body: login() })).status).toBe(200);
  expect((await ask('POST', '/api/v1/vcenters/canary/test')).status).toBe(200);
  expect((await ask('POST', '/api/v1/vcenters/default/test')).status).not.toBe(200);
  expect((await ask('POST', '/api/v1/inventory/vms', { body: { vcenter: login() } })).status).toBe(200);
  await ask('POST', '/api/v1/inspect', { body: { vm_name: 'web', vcenter: login(), luks_keys } });

  // Refused: the login, a field of a wrong type, one that there is not, one that is too long, no JSON at all.
  const refused = { vm_name: 'web', options: {}, vcenter: login(WRONG) };
  expect((await ask('POST', '/api/v1/convert', { body: refused })).status).toBe(401);
  for (const vcenter of [
    { ...login(), password: [PASSWORD] },
    { ...login(), pasword: PASSWORD },
    { ...login(), password: PASSWORD.repeat(100) },
  ])
    expect((await ask('POST', '/api/v1/convert', { body: { ...refused, vcenter } })).status).toBe(400);
  const noJson = { 'content-type': 'application/json' };
  expect((await ask('POST', `/api/v1/convert?password=${encodeURIComponent('x')}`, { headers: noJson })).status).toBe(
    400,
  );

  const callback_url = `${world.callbackUrl}/${WEBHOOK}`;
  const told = { notify_email: 'ops@example.com', callback_url, slack_webhook: callback_url };
  // They come into rows, facts and answers: there they are found again.
  const tags = [...formsOf(PLANTED).values()];
  const key = { 'idempotency-key': 'the-same-job' };
  const rest = { vcenter: login(), luks_keys };
  const completed = await convert('web', { ...told, tags }, rest, key);
  expect(await convert('web', { ...told, tags }, rest, key)).toBe(completed);
  await reaches(completed, 'completed');
  for (const task of ['verify', 'import'])
    expect((await ask('POST', `/api/v1/jobs/${completed}/${task}`, { body: {} })).status).toBe(202);

  const planned = await ask('POST', '/api/v1/batches', {
    body: {
      name: 'night',
      vcenter: { server: 'canary' },
      options: told,
      slack_webhook: callback_url,
      vms: [{ vm_name: 'db', luks_keys }],
    },
  });
  expect(planned.status, planned.text).toBe(202);
  const batch = (JSON.parse(planned.text) as { batch_id: string }).batch_id;

  // Fails, is tried again with other keys, and fails for good; another is called off while it waits.
  await vcsim.change({ fail: { method: 'CreateSnapshot_Task', fault: 'NoPermission', times: 2 } });
  const failed = await convert('mail', told, { vcenter: { server: 'canary' }, luks_keys });
  await reaches(failed, 'failed');
  expect((await ask('POST', `/api/v1/jobs/${failed}/retry`, { body: { luks_keys } })).status).toBe(202);
  const waiting = await convert('shop', { not_before: '2999-01-01T00:00:00Z' }, { vcenter: login(), luks_keys });
  expect((await ask('DELETE', `/api/v1/jobs/${waiting}`)).status).toBe(200);

  // The command line: the environment is the way in.
  const child = execa(
    process.execPath,
    [
      CLI,
      'convert',
      '--vm',
      'cli',
      '--vcenter',
      vcsim.host,
      '--username',
      vcsim.username,
      '--thumbprint',
      vcsim.thumbprint,
    ],
    {
      env: { HYPER2KVM_URL: url, HYPER2KVM_TOKEN: made, VSPHERE_PASSWORD: PASSWORD, NO_COLOR: '1' },
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: 60_000,
    },
  );
  if (child.pid !== undefined) {
    quiet.push(child.pid);
    roots.push(child.pid);
  }
  const { exitCode, all } = await child;
  expect(exitCode, all).toBe(0);
  seen.printed.push(all);

  await bus.js.publish('export.requested.normal.any.job-notamessage', 'this is no message');
  expect((await ask('POST', '/api/v1/secrets/rotate')).status).toBe(200);
  await until(
    async () => (await ask('GET', `/api/v1/batches/${batch}`)).json(BatchDetail),
    ({ status }) => status === 'completed',
    60_000,
  );
  await until(
    async () => (await ask('GET', '/api/v1/dead-letters')).text,
    (text) => text.includes('job-notamessage'),
  );
  await until(
    async () => mailbox.mails.length,
    (count) => count >= 2,
  );
  const workers = JSON.parse((await ask('GET', '/api/v1/workers')).text) as { workers: { worker_id: string }[] };
  return { completed, batch, worker: workers.workers[0]?.worker_id ?? '', made };
}

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, unknown> }> }>>;
}

/** GET of every address that /openapi.json tells. */
export async function askEverything({ ask }: World, ids: Done): Promise<void> {
  const { paths } = JSON.parse((await ask('GET', '/openapi.json')).text) as Document;
  const letters = JSON.parse((await ask('GET', '/api/v1/dead-letters')).text) as { dead_letters: { id: string }[] };
  const values: [RegExp, string][] = [
    [/(?<=\/jobs\/)\{\w+\}/, ids.completed],
    [/(?<=\/batches\/)\{\w+\}/, ids.batch],
    [/(?<=\/workers\/)\{\w+\}/, ids.worker],
    [/(?<=\/vcenters\/)\{\w+\}/, 'canary'],
    [/(?<=\/dead-letters\/)\{\w+\}/, letters.dead_letters[0]?.id ?? 'none'],
  ];
  const gets = Object.entries(paths).filter(([, methods]) => methods['get'] !== undefined);
  expect(gets.length).toBeGreaterThan(20);
  for (const [path, methods] of gets) {
    const at = values.reduce((so, [hole, value]) => so.replace(hole, value), path);
    const kinds = Object.keys(methods['get']?.responses['200']?.content ?? {});
    for (const accept of kinds.length === 0 ? ['*/*'] : kinds) {
      const { status, text } = await ask('GET', at, { headers: { accept } });
      expect(status, `${at} ${accept}: ${text}`).toBe(200);
    }
  }
}
