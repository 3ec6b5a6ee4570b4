import { expect, it } from 'vitest';
import { Home } from './home.js';

it('hyperctl config alone shows the settings; its help names the commands below it', async () => {
  const home = await Home.with('vsphere: { server: vc }\n');
  const ran = await home.run(['config']);
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^# .*config\.yaml\n[^]*vsphere:\n {2}server: vc\n/);
  const help = (await home.run(['config', '--help'])).stdout;
  for (const name of ['get', 'set', 'unset', 'view', 'path', 'contexts', 'use-context']) expect(help).toContain(name);
  const wrong = await home.run(['config', 'veiw']);
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('config view');
});
