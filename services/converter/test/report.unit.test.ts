import { expect, test } from 'vitest';
import { concernOf } from '@hyper2kvm/contracts';
import type { Manifest } from '../src/commit/index.js';
import { fenced, shellWord, text } from '../src/commit/markdown.js';
import { reportMarkdown } from '../src/commit/report.js';
import { planDomain } from '../src/targets/libvirt/index.js';

const machine = {
  name: 'db',
  cpus: 2,
  memory_bytes: 2 ** 30,
  firmware: 'bios' as const,
  secure_boot: false,
  disks: [],
  nics: [{ label: 'NIC 1', type: 'vmxnet3', mac: '00:50:56:00:00:01', network: 'VM | Network' }],
};
const domain = planDomain({
  machine,
  uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
  kernel: '6.1.0',
  accelerator: 'kvm',
  firmware: { kind: 'bios' },
  network: { type: 'bridge', name: 'br0' },
  disks: [{ index: 1, file: 'disk1.qcow2', format: 'qcow2' }],
});
const manifest = (changes: Partial<Manifest> = {}): Manifest => ({
  version: 1,
  job_id: 'job-report01',
  vm_name: 'db',
  requested_at: '2026-01-17T10:00:00Z',
  converted_at: '2026-01-17T10:01:00Z',
  duration_seconds: 61,
  steps_ms: { inspect: 1500, initramfs: 20_000 },
  source: machine,
  guest: {
    product: 'Debian GNU/Linux 12',
    distro: 'debian',
    arch: 'x86_64',
    kernels: ['6.1.0-28-amd64'],
    systemd: 252,
    file_systems: [{ device: '/dev/sda1', type: 'ext4', uuid: 'u-1', label: 'root' }],
    mountpoints: [
      { path: '/', device: '/dev/sda1' },
      { path: '/boot', device: '/dev/sda1' },
    ],
  },
  domain,
  disks: [
    {
      index: 1,
      file: 'disk1.qcow2',
      format: 'qcow2',
      capacity_bytes: 10 * 2 ** 30,
      source_name: 'db.vmdk',
      exported_segments: [],
      exported_bytes_on_disk: 900 * 2 ** 20,
      bytes_on_disk: 400 * 2 ** 20,
    },
  ],
  changes: [
    {
      step: 'fstab',
      file: '/etc/fstab',
      summary: '/dev/sda1 → UUID=u-1',
      diff: '--- a\n+++ b\n-/dev/sda1\n+UUID=u-1\n',
    },
    { step: 'initramfs', file: '/boot/initrd.img', summary: 'rebuilt' },
  ],
  modifications: { virtio_drivers: true, bootloader_updated: false, network_fixed: true },
  concerns: [concernOf('TOOLS_LEFT', 'tools left'), concernOf('SPACE', 'no room'), concernOf('TARGET', 'odd host')],
  tools: {},
  output_dir: "/out/2026-01-17/o'db",
  ...changes,
});

test('it says what was found, what was changed with its diff, what to look at, and how to import it', () => {
  const report = reportMarkdown(manifest());
  expect(report).toContain('| /dev/sda1 | ext4 | u-1 | root | /, /boot |');
  expect(report).toContain('```diff\n--- a\n+++ b\n-/dev/sda1\n+UUID=u-1\n```');
  expect(report).toContain('| initramfs | /boot/initrd.img | rebuilt |');
  expect(report.match(/\*\*(critical|warning|info)\*\*/g)).toEqual(['**critical**', '**warning**', '**info**']);
  expect(report).toContain('Free space in the folder');
  expect(report).toContain('| 00:50:56:00:00:01 | VM \\| Network | bridge br0 |');
  expect(report).toContain('| disk1.qcow2 | db.vmdk | 10.00 GiB | 900 MiB | 400 MiB |');
  expect(report).toContain("virsh define --validate '/out/2026-01-17/o'\\''db/domain.xml'");
  expect(report).toContain('hyperctl import --job job-report01');
  expect(report).toContain('| initramfs | 20.0 |');
  expect(report).toContain('Not asked for.');
});

test('what guests and sources say stays text', () => {
  const hostile = '</td><script>`x`</script> | **b** [l](http://e)\n# head \u202Egpj';
  const report = reportMarkdown(
    manifest({
      vm_name: hostile,
      guest: { ...manifest().guest, product: hostile, kernels: [hostile] },
      concerns: [concernOf('EXPORT', hostile)],
      changes: [{ step: 'fstab', file: hostile, summary: hostile, diff: '+x\n```\n# out\n````\n<script>\u0007\u202E' }],
    }),
  );
  expect(report.split('\n').filter((line) => line.startsWith('# '))).toHaveLength(2);
  expect(report).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
  // The diff is the only place of plain markup, in a fence that nothing in it ends.
  expect(report).toContain('`````diff\n+x\n```\n# out\n````\n<script>\uFFFD\uFFFD\n`````');
  const [before, after] = report.split(/^`````(?:diff)?$[^]*^`````$/m);
  expect(`${before}${after}`).not.toMatch(/[^\\]<script|[^\\]\*\*b|[^\\]\[l\]/);
  expect(before?.split('\n').filter((line) => line.startsWith('# '))).toHaveLength(1);
});

test('words for the shell and for Markdown', () => {
  expect(shellWord("a'b $x")).toBe("'a'\\''b $x'");
  expect(text('a|b')).toBe('a\\|b');
  expect(fenced('x', 'sh')).toEqual(['```sh', 'x', '```']);
});
