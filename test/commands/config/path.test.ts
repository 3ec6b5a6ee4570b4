import { expect, it } from 'vitest';
import { Home } from './home.js';

it('hyperctl config path says where the file is, there or not, broken or not', async () => {
  const home = await Home.with();
  expect(await home.run(['config', 'path'])).toEqual({
    exitCode: 0,
    stdout: home.file,
    stderr: 'Note: there is no such file yet; hyperctl config set makes it',
  });
  await home.write('vsphere: {\n');
  expect(await home.run(['config', 'path'])).toEqual({ exitCode: 0, stdout: home.file, stderr: '' });
  const json = await home.run(['config', 'path', '--json'], { HYPERCTL_CONFIG: '/etc/none.yaml' });
  expect(JSON.parse(json.stdout)).toEqual({ path: '/etc/none.yaml', exists: false });
});
