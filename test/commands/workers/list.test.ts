import { expect, it } from 'vitest';
import { hyperctl, hyperctlJson } from '../site/index.js';

it('hyperctl workers list: who runs, and with what', async () => {
  const table = await hyperctl(['workers', 'list']);
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout).toMatch(
    /^WORKER +SERVICE +STATUS +JOBS +QUEUE +FREE +UPTIME +HOST +VERSION\n\S+ +exporter +running /,
  );
  expect(table.stdout).toMatch(/^converter-1 +converter +running +\d+\/\d+ +\d+ +500 GB /m);

  const { workers } = await hyperctlJson<{ workers: object[] }>(['workers', 'list', '--daemon', 'python']);
  expect(workers).toMatchObject([{ worker_id: 'converter-1', service: 'converter', status: 'running' }]);
  expect(await hyperctl(['workers', 'list', '--daemon', 'nobody'])).toMatchObject({ exitCode: 2, stdout: '' });
});
