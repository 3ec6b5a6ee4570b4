import { describe, expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { hyperctl, hyperctlJson } from './site/index.js';
import { VMS } from './site/vms.js';

describe('hyperctl vms', () => {
  it('lists the VMs of a vCenter as a table, as paths, and as JSON', async () => {
    const [table, paths, all] = await Promise.all([
      hyperctl(['vms', '--name', 'errors-web-*']),
      hyperctl(['vms', '--name', 'errors-web-*', '--quiet']),
      hyperctlJson<{ total: number; vms: { name: string }[] }>(['vms', '--folder', '/DC0/vm']),
    ]);
    expect(table).toMatchObject({ exitCode: 0, stderr: '' });
    const [heads, ...rows] = table.stdout.split('\n');
    expect(heads).toMatch(/^NAME +POWER +DISKS +SIZE +USED +GUEST +ID +FOLDER$/);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/^errors-web-01 +off +1 +69\.2 MB .* vm-\d+ +\/DC0\/vm$/);
    expect(paths).toEqual({ exitCode: 0, stdout: '/DC0/vm/errors-web-01\n/DC0/vm/errors-web-02', stderr: '' });
    expect(all.vms.map(({ name }) => name)).toEqual(expect.arrayContaining([...VMS]));
    expect(all.total).toBe(all.vms.length);
  });

  it('of which none fits says so; what is wrong is told', async () => {
    expect(await hyperctl(['vms', '--name', 'nobody-*'])).toEqual({ exitCode: 0, stdout: 'No VMs.', stderr: '' });
    expect(await oneError(4, ['vms', '--datacenter', 'DC9'])).toMatch(
      /datacenter "DC9" was not found .*; it has: DC0\n/,
    );
    expect(await oneError(5, ['vms'], { VSPHERE_PASSWORD: 'wrong' })).toMatch(/code: +VCENTER_LOGIN/);
    expect(await oneError(2, ['vms', '--power', 'onn'])).toContain('"onn" is no value of --power; did you mean "on"?');
  });
});
