import path from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { oneError } from './one-error.js';
import { hyperctl, hyperctlJson } from './site/index.js';

describe('hyperctl inspect', () => {
  it('says what a VM of vCenter is, of which no disk is read', async () => {
    const { exitCode, stdout, stderr } = await hyperctl(['inspect', '--vm', 'inspect-1']);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      new RegExp(
        `^🔎 inspect-1 \\(${inject('site').vcenter.server}\\)\\nMachine: +2 CPUs, .*\\nDisks: +1, 69.2 MB in all\\n`,
      ),
    );
    expect(stdout).toMatch(/^Not inspected: The disks .* are looked into after their export\.$/m);
    expect(stdout).toMatch(/^Estimate:\n {3}Time: +\S.*\n {3}Space: /m);
  });

  it('looks into a local disk, by a converter', async () => {
    const disk = path.join(inject('site').imports, 'web.raw');
    const files = ['inspect', '--disk', disk, '--name', 'inspect-web'];
    const [told, seen, quiet] = await Promise.all([
      hyperctl(files),
      hyperctlJson<{ vm_name: string; refusal: unknown; inspection: { os: { pretty_name?: string } } }>(files),
      hyperctl([...files, '--quiet']),
    ]);
    expect(told).toMatchObject({ exitCode: 0, stderr: '' });
    expect(told.stdout).toMatch(
      /^🔎 inspect-web \(local files\)\n[^]*^Guest OS: +Debian GNU\/Linux 12[^]*^What would be done:\n {3}fstab/m,
    );
    expect(seen).toMatchObject({ vm_name: 'inspect-web', refusal: null });
    expect(seen.inspection).not.toBeNull();
    expect(quiet).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('refuses what is no disk, lies elsewhere, or has no name', async () => {
    const disk = path.join(inject('site').imports, 'web.raw');
    expect(await oneError(5, ['inspect', '--disk', '/etc/hostname', '--name', 'x'])).toMatch(
      /\/etc\/hostname[^]*try: .*allowed_roots[^]*code: +PATH_DENIED/,
    );
    expect(await oneError(2, ['inspect', '--disk', disk])).toBe(
      'Error: --disk needs a name for the VM\n  try:   --name NAME',
    );
    expect(await oneError(2, ['inspect'])).toMatch(/^Error: .*\n {2}try: .*--vm/);
    expect(await oneError(2, ['inspect', '--vm', 'inspect-1', '--engine', 'nativ'])).toBe(
      'Error: "nativ" is no value of --engine; did you mean "native"?\n  try:   one of: auto, native, virt-v2v',
    );
  });
});
