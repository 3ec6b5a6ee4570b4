import { inject } from 'vitest';
import { hyperctl } from '../site/index.js';

/** Stores the site's vCenter, trusted by its CA. */
export async function store(name: string, password = inject('site').vcenter.password): Promise<void> {
  const { server, username, caFile } = inject('site').vcenter;
  const args = ['vcenter', 'add', name, '--vcenter', server, '--username', username, '--ca-file', caFile];
  const { exitCode, stderr } = await hyperctl(args, { VSPHERE_PASSWORD: password });
  if (exitCode !== 0) throw new Error(stderr);
}
