import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, it } from 'vitest';
import { Home } from './home.js';

it('hyperctl config use-context leads all commands to another gateway, with its own token', async () => {
  const { url, securedUrl, adminToken } = inject('site');
  const home = await Home.with(`# two gateways
contexts:
  open: { daemons: { go: { url: "${url}" } } }
  secured:
    daemons: { go: { url: "${securedUrl}" } }
    token_file: ~/token
  elsewhere: { daemons: { go: { url: "http://127.0.0.1:9" } }, token_file: ~/token }
`);
  await writeFile(path.join(home.folder, 'token'), `${adminToken}\n`, { mode: 0o600 });
  const list = (...args: string[]) => home.run(['list', '--vm', 'nobody', ...args]);

  expect(await home.run(['config', 'use-context', 'open'])).toEqual({
    exitCode: 0,
    stdout: 'Switched to context open',
    stderr: '',
  });
  expect(await home.text()).toMatch(/^# two gateways\n[^]*current_context: open\n$/);
  const open = await list('--debug');
  expect(open).toMatchObject({ exitCode: 0, stdout: 'No jobs.' });
  expect(open.stderr).toContain('debug: context: open (file)');
  // The same gateway's neighbour asks for a token.
  expect((await list('--url', securedUrl)).exitCode).toBe(5);

  expect((await home.run(['config', 'use-context', 'secured'])).stdout).toBe('Switched to context secured');
  expect(await list()).toMatchObject({ exitCode: 0, stdout: 'No jobs.' });
  expect((await list('--context', 'open', '--debug')).stderr).toContain('debug: context: open (flag --context)');

  // A token is of its own gateway: another address does not get it, and the error says so.
  const denied = await list('--context', 'elsewhere', '--url', securedUrl);
  expect(denied.exitCode).toBe(5);
  expect(denied.stderr).toContain(
    `note:  token_file of context elsewhere is not used: it belongs to gateway http://127.0.0.1:9, not to ${securedUrl}`,
  );

  const wrong = await home.run(['config', 'use-context', 'secure']);
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
  expect(wrong.stderr).toContain(`there is no context secure in ${home.file}; did you mean "secured"?`);
});

it("a gateway's certificate is trusted by the CA of its context", async () => {
  const { vcenter } = inject('site');
  // Something that speaks TLS with a certificate of its own; that it is no gateway is seen after that.
  const home = await Home.with(`
contexts:
  with: { daemons: { go: { url: "https://${vcenter.server}" } }, ca_file: "${vcenter.caFile}" }
  without: { daemons: { go: { url: "https://${vcenter.server}" } } }
`);
  const trusted = await home.run(['list', '--context', 'with']);
  expect(trusted.exitCode).toBe(3);
  expect(trusted.stderr).toContain('is no hyper2kvm gateway');
  const unknown = await home.run(['list', '--context', 'without']);
  expect(unknown.exitCode).toBe(3);
  expect(unknown.stderr).toMatch(/certificate is not trusted here[^]*ca_file/);
});
