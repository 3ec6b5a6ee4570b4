import { expect, it } from 'vitest';
import { Home } from './home.js';

it('hyperctl config unset takes one value out, also one that is no setting', async () => {
  const home = await Home.with(
    '# mine\nvsphere:\n  sever: x\n  server: vc # main\ncontexts: { a: { ui: { color: no }, token: "${T}" } }\n',
  );
  expect(await home.run(['config', 'unset', 'vsphere.sever'])).toEqual({
    exitCode: 0,
    stdout: `Took vsphere.sever out of ${home.file}`,
    stderr: '',
  });
  await home.run(['config', 'unset', 'ui.color', '--context', 'a']);
  expect(await home.text()).toBe('# mine\nvsphere:\n  server: vc # main\ncontexts: { a: { token: "${T}" } }\n');

  const twice = await home.run(['config', 'unset', 'ui.color']);
  expect(twice).toMatchObject({ exitCode: 1, stdout: '' });
  expect(twice.stderr).toContain(`Error: ui.color is not set in ${home.file}\n  try:   where its value comes from`);
  const unknown = await home.run(['config', 'unset', 'vsphere.sever']);
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toContain('did you mean "vsphere.server"?');
  const context = await home.run(['config', 'unset', 'token', '--context', 'b', '--json']);
  expect(context.exitCode).toBe(2);
  expect(JSON.parse(context.stdout)).toMatchObject({ error: { code: 'USAGE' } });
});
