import { expect, test } from 'vitest';
import { appendModules, modulesPolicy, neededModules } from '../src/steps/initramfs/index.js';

/** Lines as Debian 12's files and lsinitramfs have them. */
const MODULES = ['virtio_pci', 'virtio_scsi', 'virtio_blk'].map((name) => `kernel/drivers/x/${name}.ko`);

test('missing is what is neither built in nor listed; a module that the kernel lacks cannot be added', () => {
  expect(
    neededModules({
      builtin: ['kernel/drivers/virtio/virtio.ko', 'kernel/drivers/block/virtio_blk.ko'],
      modules: ['kernel/drivers/virtio/virtio_pci.ko', 'kernel/drivers/scsi/virtio_scsi.ko.xz'],
      listing: ['usr/lib/modules/6.1.0-28-amd64/kernel/drivers/virtio/virtio_pci.ko', 'usr/bin/virtio_scsi'],
    }),
  ).toEqual({ missing: ['virtio_scsi'], unavailable: ['virtio_net'] });
});

test('compressed modules, links of usr-merge and dashes count', () => {
  expect(
    neededModules({
      builtin: ['kernel/drivers/net/virtio_net.ko'],
      modules: MODULES,
      listing: ['lib/modules/6.8/kernel/drivers/virtio/virtio-pci.ko.zst', 'x/virtio_blk.ko.xz', 'x/virtio_scsi.ko.gz'],
    }),
  ).toEqual({ missing: [], unavailable: [] });
});

test('a name that only contains a driver is not the driver', () => {
  const needs = neededModules({
    builtin: [],
    modules: MODULES,
    listing: ['x/virtio_pci_modern_dev.ko', 'x/virtio_blk.ko.sig'],
  });
  expect(needs.missing).toEqual(['virtio_pci', 'virtio_blk', 'virtio_scsi']);
});

test('/etc/initramfs-tools/modules: appended once, comments and options kept', () => {
  const text = '# List of modules\n# virtio_blk\nmptspi\nvirtio-pci option=1';
  const once = appendModules(text, ['virtio_pci', 'virtio_blk']);
  expect(once).toBe(`${text}\n# Added by hyper2kvm: the disks and cards of KVM\nvirtio_blk\n`);
  expect(appendModules(once, ['virtio_pci', 'virtio_blk'])).toBe(once);
});

test('the policy in force is the last one said', () => {
  expect(modulesPolicy(['# MODULES: most\nMODULES=most\n', '', 'MODULES=dep\n'])).toBe('dep');
  expect(modulesPolicy([''])).toBe('most');
});
