import { expect, it } from 'vitest';
import { hyperctl } from '../site/index.js';

it('hyperctl notify: shows the status, and tells of its commands', async () => {
  const shown = await hyperctl(['notify']);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^CHANNEL +CONFIGURED/);
  const help = await hyperctl(['notify', '--help']);
  for (const command of ['notify status', 'notify test']) expect(help.stdout).toContain(command);
});
