// What a user is told when the gateway, a token, a job or a VM is not what it was taken for: by the real services.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Pool } from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, startJob } from './site/index.js';

/** Where nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const reach = (url: string, env: Record<string, string> = {}): Promise<string> =>
  oneError(3, ['list'], { HYPER2KVM_URL: url, ...env });

/** At the gateway that wants tokens. */
const list = (env: Record<string, string>): Promise<string> =>
  oneError(5, ['list'], { HYPER2KVM_URL: inject('site').securedUrl, ...env });

describe('a gateway that cannot be reached', () => {
  it('nobody listens: start it', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    expect(await reach(url)).toMatch(
      new RegExp(
        `^Error: the gateway at ${url} cannot be reached
  why:   the connection was refused: nothing listens there
  try:   start it: hyperctl daemon start --all .*
  code:  GATEWAY_UNREACHABLE
  trace: [0-9a-f]{32}$`,
      ),
    );
  });

  it('its name is not known: where the address comes from', async () => {
    expect(await reach('http://gateway.invalid:8080')).toMatch(
      /why: +the host name .*\n {2}try: .*hyperctl config view --origin/,
    );
  });

  it('it is something else: a mail server, vCenter', async () => {
    const { smtp, vcenter } = inject('site');
    expect(await reach(`http://${smtp}`)).toMatch(/why: +what answers there does not speak HTTP\n/);
    const env = { HYPER2KVM_CA_FILE: vcenter.caFile };
    expect(await reach(`https://${vcenter.server}`, env)).toMatch(
      /why: +what answers there \(HTTP 404\) is no hyper2kvm gateway\n/,
    );
  });

  it('its certificate is not known, or it speaks no TLS', async () => {
    const { vcenter, url } = inject('site');
    expect(await reach(`https://${vcenter.server}`)).toMatch(
      /why: +its TLS certificate is not trusted here.*\n {2}try: .*HYPER2KVM_CA_FILE/,
    );
    expect(await reach(url.replace('http:', 'https:'))).toMatch(/does not speak TLS\n {2}try: +write http:/);
  });

  it('is a document with --json, and has a stack with --debug alone', async () => {
    const url = `http://127.0.0.1:${await closedPort()}`;
    const ran = await hyperctl(['list', '--json'], { HYPER2KVM_URL: url });
    expect(ran.exitCode).toBe(3);
    expect(JSON.parse(ran.stdout)).toEqual({
      error: {
        code: 'GATEWAY_UNREACHABLE',
        message: `the gateway at ${url} cannot be reached`,
        why: expect.stringContaining('refused') as unknown,
        advice: expect.stringContaining('hyperctl daemon start --all') as unknown,
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      },
    });
    expect((await hyperctl(['list', '--debug'], { HYPER2KVM_URL: url })).stderr).toMatch(/^Error: .*[^]*^ {4}at /m);
  });
});

describe('a token', () => {
  it('that is missing or wrong', async () => {
    expect(await list({})).toMatch(
      /^Error: no token.*\n {2}why: .*none came.*\n {2}try: .*HYPER2KVM_TOKEN.*hyperctl token create/,
    );
    const wrong = await list({ HYPER2KVM_TOKEN: 'h2k_wrong' });
    expect(wrong).toMatch(/why: +The token is not known here: it is wrong, or it was revoked\.\n/);
    expect(wrong).toMatch(/code: +UNAUTHENTICATED\n {2}trace: [0-9a-f]{32}$/);
    expect(wrong).not.toContain('h2k_wrong');
  });

  it('that has expired', async () => {
    const { securedUrl, adminToken, database } = inject('site');
    const admin = { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: adminToken };
    const { token } = await hyperctlJson<{ token: string }>(
      ['token', 'create', 'errors-ann', '--role', 'viewer', '--expires', '1d'],
      admin,
    );
    const db = new Pool({ connectionString: database });
    try {
      await db.query("UPDATE tokens SET expires_at = '2026-01-17T10:00:00Z' WHERE name = 'errors-ann'");
    } finally {
      await db.end();
    }
    expect(await list({ HYPER2KVM_TOKEN: token })).toContain(
      'why:   The token of errors-ann expired at 2026-01-17T10:00:00.000Z.\n',
    );
  });

  it('of a role that may not', async () => {
    const { securedUrl, adminToken } = inject('site');
    const { token } = await hyperctlJson<{ token: string }>(['token', 'create', 'errors-bob', '--role', 'viewer'], {
      HYPER2KVM_URL: securedUrl,
      HYPER2KVM_TOKEN: adminToken,
    });
    const env = { HYPER2KVM_URL: securedUrl, HYPER2KVM_TOKEN: token };
    expect(await oneError(5, ['cancel', '--job', 'job-abc123'], env)).toMatch(/code: +FORBIDDEN/);
  });
});

describe('a job', () => {
  it('that is not there, by its id or by its VM, with what is near', async () => {
    const id = await startJob('errors-3-broken');
    await ended(id);
    const typo = `${id.slice(0, -2)}${id.slice(-1)}`;
    const [unknown, near, vm, asVm, asJob, none] = await Promise.all([
      oneError(4, ['status', '--job', 'job-abc123']),
      oneError(4, ['logs', '--job', typo]),
      oneError(4, ['status', '--vm', 'Errors-3-brokn']),
      oneError(2, ['cancel', '--vm', id]),
      oneError(2, ['priority', '--job', 'errors-3-broken', 'high']),
      oneError(2, ['status', '--job', 'no such id']),
    ]);
    expect(unknown).toMatch(
      /^Error: no such job\n {2}why: +There is no job job-abc123\.\n {2}try: +hyperctl list .*\n {2}code: +JOB_NOT_FOUND\n {2}trace: /,
    );
    expect(near).toContain(`Near to it is ${id} (VM errors-3-broken).\n  try:   --job ${id}`);
    expect(vm).toMatch(/^Error: there is no job of a VM named Errors-3-brokn; did you mean "errors-3-broken"\?\n/);
    expect(asVm).toContain(`Error: "${id}" is the id of a job, not the name of a VM\n  try:   --job ${id}`);
    expect(asJob).toContain(
      'Error: "errors-3-broken" is the name of a VM, not the id of a job\n  try:   --vm errors-3-broken',
    );
    expect(none).toMatch(/^Error: "no such id" is no id of a job.*\n {2}try: +hyperctl list/);
  });

  it('that cannot be what is asked for: its id is told', async () => {
    const id = await startJob('errors-web-02');
    await ended(id);
    const said = await oneError(1, ['priority', '--job', id, 'high']);
    expect(said).toMatch(
      new RegExp(`try: .*hyperctl status --job ${id}[^]*\\n  job: +${id}\\n  code: +STATE_CONFLICT\\n  trace: `),
    );
  });
});

describe('a VM', () => {
  it('that is not there, with near names', async () => {
    const { vcenter } = inject('site');
    expect(await oneError(4, ['convert', '--vm', 'errors-web-1', '--detach'])).toMatch(
      new RegExp(
        `^Error: VM not found
  why:   VM "errors-web-1" was not found on vCenter ${vcenter.server}; did you mean "errors-web-01" or "errors-web-02"\\?
  try:   List what there is: hyperctl vms --vcenter ${vcenter.server}; and check --datacenter\\.
  code:  VM_NOT_FOUND
  trace: [0-9a-f]{32}$`,
      ),
    );
    expect(await oneError(4, ['inspect', '--vm', 'ERRORS-WEB-01'])).toContain('did you mean "errors-web-01"');
    expect(await oneError(4, ['export', '--vm', 'errors-web-01', '--datacenter', 'DC9', '--detach'])).toContain(
      'it has: DC0',
    );
  });

  it('whose vCenter is not there, or wants another login or trust', async () => {
    const nowhere = `127.0.0.1:${await closedPort()}`;
    const { vcenter } = inject('site');
    const convert = ['convert', '--vm', 'errors-web-01', '--detach'];
    const user = ['--username', vcenter.username];
    const [away, login, trust] = await Promise.all([
      oneError(1, [...convert, '--vcenter', nowhere, ...user], { VSPHERE_SERVER: '', VSPHERE_CA_FILE: '' }),
      oneError(5, convert, { VSPHERE_PASSWORD: 'wrong' }),
      oneError(1, convert, { VSPHERE_CA_FILE: '' }),
    ]);
    expect(away).toMatch(
      new RegExp(`${nowhere}[^]*try: .*curl -k https://${nowhere}/sdk[^]*code: +VCENTER_UNREACHABLE`),
    );
    expect(login).toMatch(/why: .*refused user name or password\n {2}try: .*--username and VSPHERE_PASSWORD/);
    expect(trust).toMatch(
      /SHA-256 fingerprint is [0-9A-F:]{95}\n {2}try: .*--ca-file.*--thumbprint[^]*code: +VCENTER_TLS/,
    );
  });
});
