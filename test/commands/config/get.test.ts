import { expect, it } from 'vitest';
import { Home } from './home.js';

const TEXT = `
vsphere: { server: "\${VCENTER}", username: automation@vsphere.local }
notifications: { slack_webhook: "https://hooks.slack.com/services/geheim" }
contexts: { lab: { vsphere: { server: lab.example.com } } }
`;

it('hyperctl config get prints the value that counts', async () => {
  const home = await Home.with(TEXT);
  const get = (...words: string[]) => home.run(['config', 'get', ...words], { VCENTER: 'vc.example.com' });
  expect(await get('vsphere.server')).toEqual({ exitCode: 0, stdout: 'vc.example.com', stderr: '' });
  expect((await get('vsphere.server', '--context', 'lab')).stdout).toBe('lab.example.com');
  expect((await get('ui.log_level')).stdout).toBe('info');
  expect(JSON.parse((await get('vsphere.server', '--json', '--context', 'lab')).stdout)).toEqual({
    key: 'vsphere.server',
    value: 'lab.example.com',
    origin: 'context lab',
  });

  const variable = await home.run(['config', 'get', 'vsphere.server']);
  expect(variable.exitCode).not.toBe(0);
  expect(variable.stderr).toContain('vsphere.server: the environment variable VCENTER is not set');
});

it('hyperctl config get prints no secret, and nothing where there is nothing', async () => {
  const home = await Home.with(TEXT);
  const get = (...words: string[]) => home.run(['config', 'get', ...words]);
  const unset = await get('vsphere.datacenter');
  expect(unset).toMatchObject({ exitCode: 1, stdout: '' });
  expect(unset.stderr).toContain(
    'Error: vsphere.datacenter is not set\n  try:   hyperctl config set vsphere.datacenter',
  );
  const secret = await get('notifications.slack_webhook');
  expect(secret).toMatchObject({ exitCode: 1, stdout: '' });
  expect(secret.stderr).toContain('is a secret and not shown\n  why:   it is set by: file');
  expect((await get('notifications.slack_webhook', '--json')).stdout).not.toContain('geheim');

  const wrong = await get('vsphere.sever');
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/^Error: there is no key vsphere\.sever; did you mean "vsphere\.server"\?/);
});
