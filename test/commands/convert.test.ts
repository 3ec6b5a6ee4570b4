import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/ports.js';
import { oneError } from './one-error.js';
import { ended, hyperctl, hyperctlJson, job } from './site/index.js';
import { inject } from 'vitest';

/** Of a line without a terminal. */
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S/;

describe('hyperctl convert', () => {
  it('moves a VM, tells each step with its time, and what to do next', async () => {
    const ran = await hyperctl(['convert', '--vm', 'convert-1']);
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(ran.stderr).toBe('');
    const [told = '', end = ''] = ran.stdout.split(/\n\n(?=╔)/);
    expect(
      told.split('\n').every((line) => STAMP.test(line)),
      told,
    ).toBe(true);
    const words = told.split('\n').map((line) => line.replace(/^\S+ /, '').replace(/ \(\d+s\)$/, ''));
    for (const word of [
      expect.stringMatching(/^Conversion of convert-1, job job-\w+$/),
      expect.stringMatching(/^Connected to 127\.0\.0\.1:/),
      'Found VM: convert-1 (1 disk, 69.2 MB total)',
      'Phase 2: Exporting from vSphere',
      expect.stringMatching(/^Disk 1\/1 downloaded: .*, 69\.2 MB/),
      'Phase 3: Queued for conversion',
      'Phase 4: Converting to KVM',
      'Bootloader updated',
      expect.stringMatching(/^Conversion complete/),
      'Phase 5: Cleanup',
    ])
      expect(words).toContainEqual(word);
    const id = /Job ID: +(\S+)/.exec(end)?.[1] ?? '';
    expect(end).toContain('✅ Conversion Successful');
    expect(end).toMatch(/^Total Size: +69\.2 MB\nTotal Time: +\d+[ms].*\nOutput: +\/out\/convert-1\/$/m);
    expect(end).toContain(`1. Import to libvirt:\n   hyperctl import --job ${id}\n`);
    expect(end).toMatch(/^2\. Or manually:\n {3}virt-install --name convert-1 \\$/m);
    expect(end).toContain(`View logs:\n   hyperctl logs --job ${id}`);
    expect(ran.stdout).not.toContain('\u001b');
    expect((await job(id)).status).toBe('completed');
  });

  it('ends with 1 when the job failed: what, why and what to try; with --quiet on standard error alone', async () => {
    const ran = await hyperctl(['convert', '--vm', 'convert-2-broken']);
    expect(ran).toMatchObject({ exitCode: 1, stderr: '' });
    expect(ran.stdout).toContain('❌ Conversion Failed');
    expect(ran.stdout).toMatch(/^Error: +dracut failed: no space left on device\nCode: +CONVERSION_STEP\nTry: /m);
    const quiet = await hyperctl(['convert', '--vm', 'convert-2-broken', '--quiet']);
    expect(quiet).toMatchObject({ exitCode: 1, stdout: '' });
    expect(quiet.stderr).toMatch(/^Error: dracut failed: no space left on device \(job-\w+, trace [0-9a-f]{32}\)$/);
  });

  it('prints one document with --json, nothing with --quiet', async () => {
    const document = await hyperctlJson<object>([
      'convert',
      '--vm',
      'convert-3',
      '--tags',
      'a,b',
      '--priority',
      'high',
    ]);
    expect(document).toMatchObject({ status: 'completed', vm_name: 'convert-3', tags: ['a', 'b'], priority: 'high' });
    expect(await hyperctl(['convert', '--vm', 'convert-3', '-q'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('only starts it with --detach', async () => {
    const ran = await hyperctl(['convert', '--vm', 'convert-4', '--detach']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    const [, id = ''] =
      /^Job ID: (\S+)\nStatus: Export started\.\.\.\nFollow progress: hyperctl status --job \1 --follow$/.exec(
        ran.stdout,
      ) ?? [];
    expect(id, ran.stdout).toMatch(/^job-/);
    expect((await ended(id)).status).toBe('completed');
  });

  it('moves the VMs of a file, and ends with 1 where one failed', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'h2k-convert-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'vms.txt');
    await writeFile(file, '# tonight\nconvert-5\n\nconvert-6-broken\n');
    const ran = await hyperctl(['convert', '--batch', file, '--parallel', '2']);
    expect(ran.exitCode, ran.stderr).toBe(1);
    expect(ran.stdout).toMatch(/convert-5.*completed/);
    expect(ran.stdout).toMatch(/convert-6-broken.*failed/);
  });

  it('converts what was exported before, with --job', async () => {
    const exported = await hyperctlJson<{ job_id: string }>(['export', '--vm', 'convert-7']);
    const ran = await hyperctl(['convert', '--job', exported.job_id]);
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('✅ Conversion Successful');
    expect(await oneError(2, ['convert', '--job', exported.job_id, '--bandwidth', '5M'])).toContain('--bandwidth');
  });

  it('ends with 2, 3, 4 or 5 where nothing was started', async () => {
    expect(await oneError(2, ['convert'])).toContain('--vm');
    const nobody = { HYPER2KVM_URL: `http://127.0.0.1:${await freePort()}` };
    expect(await oneError(3, ['convert', '--vm', 'convert-1'], nobody)).toContain('GATEWAY_UNREACHABLE');
    expect(await oneError(4, ['convert', '--vm', 'convert-0'])).toMatch(/convert-0[\s\S]*VM_NOT_FOUND/);
    const locked = { HYPER2KVM_URL: inject('site').securedUrl };
    expect(await oneError(5, ['convert', '--vm', 'convert-1'], locked)).toContain('UNAUTHENTICATED');
  });
});
