import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addFeature,
  appendModules,
  appendToModules,
  dracut,
  dracutConfiguration,
  featureModules,
  initramfsTools,
  mkinitcpio,
  mkinitfs,
  modulesPolicy,
  rootModules,
} from '../src/steps/initramfs/backends/index.js';

const NAMES = ['virtio_pci', 'virtio_blk'];
const archive = (files: Record<string, string> = {}): Parameters<typeof dracut.command>[1] => ({
  paths: [],
  files: new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
  main: { offset: 0 },
});
/** A guest with these text files. */
const guest = (files: Record<string, string>): Parameters<typeof dracut.configure>[0] => ({
  readText: async (file) => files[file],
  list: async (folder) =>
    Object.keys(files)
      .filter((file) => file.startsWith(`${folder}/`))
      .map((file) => file.slice(folder.length + 1)),
  isDir: async (folder) => Object.keys(files).some((file) => file.startsWith(`${folder}/`)),
});
const drivers = {
  names: NAMES,
  files: ['kernel/drivers/virtio/virtio_pci.ko.gz', 'kernel/drivers/block/virtio_blk.ko.gz'],
};

describe('initramfs-tools', () => {
  test('/etc/initramfs-tools/modules: appended once, comments and options kept', () => {
    const text = '# List of modules\n# virtio_blk\nmptspi\nvirtio-pci option=1';
    const once = appendModules(text, NAMES);
    expect(once).toBe(`${text}\n# Added by hyper2kvm: the disks and cards of KVM\nvirtio_blk\n`);
    expect(appendModules(once, NAMES)).toBe(once);
  });

  test('the policy in force is the last one said', () => {
    expect(modulesPolicy(['# MODULES: most\nMODULES=most\n', '', 'MODULES=dep\n'])).toBe('dep');
    expect(modulesPolicy([''])).toBe('most');
  });

  test('"dep" is overruled only where the image is built in the appliance', async () => {
    const files = guest({
      '/etc/initramfs-tools/initramfs.conf': 'MODULES=most\n',
      '/etc/initramfs-tools/conf.d/driver-policy': 'MODULES=dep\n',
    });
    expect((await initramfsTools.configure(files, drivers, false)).map(({ file }) => file)).toEqual([
      '/etc/initramfs-tools/modules',
    ]);
    expect((await initramfsTools.configure(files, drivers, true)).map(({ file }) => file)).toEqual([
      '/etc/initramfs-tools/modules',
      '/etc/initramfs-tools/conf.d/zz-hyper2kvm',
    ]);
  });

  test('the list in the image keeps its order, ours come last', () => {
    expect(initramfsTools.addable?.loadList?.with('mptspi\next4', ['virtio_pci'])).toBe('mptspi\next4\nvirtio_pci\n');
  });
});

describe('dracut', () => {
  test('drivers of several kernels come together in one line', () => {
    const once = dracutConfiguration('', ['virtio_blk']);
    expect(once).toMatch(/^add_drivers\+=" virtio_blk "$/m);
    expect(dracutConfiguration(once, NAMES)).toMatch(/^add_drivers\+=" virtio_blk virtio_pci "$/m);
    expect(dracutConfiguration(once, ['virtio_blk'])).toBe(once);
  });

  test("what the old image had for the guest's root is asked for: hostonly sees the appliance's devices", () => {
    const old = archive({ 'usr/lib/dracut/modules.txt': 'bash\nsystemd\ndm\nlvm\nkernel-modules\nlvm\n' });
    expect(dracut.command({ version: '5.14', image: '/boot/initramfs-5.14.img' }, old)).toEqual([
      'dracut',
      '--force',
      '--add',
      'dm',
      '--add',
      'lvm',
      '/boot/initramfs-5.14.img',
      '5.14',
    ]);
    expect(rootModules('')).toEqual([]);
  });

  test.each([
    ['usr/lib/dracut/hooks/initqueue/finished/devexists-\\x2fdev\\x2fdisk\\x2fby-uuid\\x2f6a1f.sh', false],
    ['usr/lib/dracut/hooks/initqueue/finished/devexists-\\x2fdev\\x2fmapper\\x2frhel-root.sh', false],
    ['usr/lib/dracut/hooks/initqueue/finished/devexists-\\x2fdev\\x2fsda3.sh', true],
    ['lib/dracut/hooks/emergency/80-devexists-\\x2fdev\\x2fdisk\\x2fby-path\\x2fpci-0000.sh', true],
  ])('an image that waits for %s is built anew: %j', (path, anew) => {
    expect(dracut.addable?.forbids(['init', path]) !== undefined).toBe(anew);
  });
});

const filesOf = async (files: Record<string, string>): Promise<string[]> =>
  (await mkinitcpio.configure(guest(files), drivers, true)).map(({ file }) => file);

describe('mkinitcpio', () => {
  test.each([
    ['# MODULES=(a)\nMODULES=()\nHOOKS=(base udev)\n', 'MODULES+=(virtio_pci virtio_blk)'],
    ['MODULES=(vmw_pvscsi virtio_pci)\n', 'MODULES+=(virtio_blk)'],
    ['MODULES="mptspi"\n', 'MODULES+=" virtio_pci virtio_blk"'],
    ['', 'MODULES+=(virtio_pci virtio_blk)'],
  ])('%j', (text, added) => {
    const once = appendToModules(text, NAMES);
    expect(once).toBe(`${text}# Added by hyper2kvm: the disks and cards of KVM\n${added}\n`);
    expect(appendToModules(once, NAMES)).toBe(once);
  });

  test('a drop-in where the folder is there', async () => {
    expect(await filesOf({ '/etc/mkinitcpio.conf': 'MODULES=()\n' })).toEqual(['/etc/mkinitcpio.conf']);
    expect(await filesOf({ '/etc/mkinitcpio.conf.d/a.conf': '' })).toEqual(['/etc/mkinitcpio.conf.d/hyper2kvm.conf']);
    expect(mkinitcpio.command({ version: '6.9.1-arch1-1', image: '/boot/initramfs-linux.img' }, archive())).toEqual([
      'mkinitcpio',
      '-k',
      '6.9.1-arch1-1',
      '-g',
      '/boot/initramfs-linux.img',
      '-S',
      'autodetect',
    ]);
  });
});

describe('mkinitfs', () => {
  test('a feature of our own names the files, whatever their compression', async () => {
    const edits = await mkinitfs.configure(
      guest({ '/etc/mkinitfs/mkinitfs.conf': 'features="ata base"\n' }),
      drivers,
      true,
    );
    expect(edits.map(({ file, after }) => [file, after])).toEqual([
      [
        '/etc/mkinitfs/features.d/hyper2kvm.modules',
        'kernel/drivers/virtio/virtio_pci.ko*\nkernel/drivers/block/virtio_blk.ko*\n',
      ],
      ['/etc/mkinitfs/mkinitfs.conf', 'features="ata base hyper2kvm"\n'],
    ]);
    expect(mkinitfs.images('6.6.41-0-lts')).toEqual(['/boot/initramfs-lts']);
  });

  test('once', () => {
    const [config, feature] = [addFeature('features="ata base"\n# x\n'), featureModules('', drivers.files)];
    expect(addFeature(config)).toBe(config);
    expect(featureModules(feature, drivers.files)).toBe(feature);
  });
});

describe('every configuration', () => {
  const text = fc
    .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('MODULES=(x)', 'features="a"', '# c', 'mptspi')))
    .map((lines) => lines.join('\n'));
  const names = fc.uniqueArray(fc.constantFrom(...NAMES, 'virtio_scsi', 'virtio_net'));

  test.each([
    ['initramfs-tools', appendModules],
    ['mkinitcpio', appendToModules],
  ])('%s: what is there stays byte for byte, a second run changes nothing', (_, plan) => {
    fc.assert(
      fc.property(text, names, (before, wanted) => {
        const once = plan(before, wanted);
        return once.startsWith(before) && plan(once, wanted) === once;
      }),
    );
  });

  test('mkinitfs, dracut: a second run changes nothing', () => {
    fc.assert(fc.property(text, (before) => addFeature(addFeature(before)) === addFeature(before)));
    fc.assert(
      fc.property(names, names, (first, second) => {
        const both = dracutConfiguration(dracutConfiguration('', first), second);
        return dracutConfiguration(both, [...first, ...second]) === both;
      }),
    );
  });
});
