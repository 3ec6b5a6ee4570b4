import { expect, it } from 'vitest';
import { hyperctl } from '../site/index.js';

it('hyperctl workers lists them, and its help names what else there is', async () => {
  const alone = await hyperctl(['workers']);
  expect(alone).toMatchObject({ exitCode: 0, stderr: '' });
  expect(alone.stdout).toMatch(/^converter-1 +converter /m);
  const help = await hyperctl(['workers', '--help']);
  expect(help.exitCode).toBe(0);
  expect(help.stdout).toMatch(/workers show/);
  expect(await hyperctl(['workers', 'lst'])).toMatchObject({ exitCode: 2, stdout: '' });
});
