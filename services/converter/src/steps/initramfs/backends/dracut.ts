/** RHEL and its kin, SUSE, and Debian where somebody chose it. */
import type { InitramfsBackend } from './backend.js';

const CONFIG = '/etc/dracut.conf.d/hyper2kvm.conf';
/** Which of its own modules dracut put into an image, since 030. */
const LISTS = ['usr/lib/dracut/modules.txt', 'lib/dracut/modules.txt'];
/**
 * What a root may need. dracut decides by the devices that it sees (hostonly), which here are the appliance's, where a
 * volume may have another name: what was in the image before is asked for.
 */
const ROOT_MODULES = new Set(['btrfs', 'crypt', 'dm', 'dmraid', 'lvm', 'mdraid', 'multipath', 'systemd-cryptsetup']);
/** Scripts that wait for a device by a name that KVM does not give it; in names `/` is \x2f. */
const WAITS_FOR_HARDWARE = /devexists-.*(?:by-path|by-id|x2fdev\\x2f(?:sd|hd|vd|xvd|nvme)[a-z0-9]+)/;

export const dracut: InitramfsBackend = {
  name: 'dracut',
  tools: ['/usr/bin/dracut', '/usr/sbin/dracut', '/sbin/dracut'],
  made: (paths) => LISTS.some((list) => paths.has(list)) || paths.has('usr/lib/dracut') || paths.has('lib/dracut'),
  images: (version) => [`/boot/initramfs-${version}.img`, `/boot/initrd-${version}`, `/boot/initrd.img-${version}`],
  async configure(files, { names }) {
    const before = await files.readText(CONFIG);
    return [{ file: CONFIG, before, after: dracutConfiguration(before ?? '', names) }];
  },
  command({ version, image }, old) {
    const modules = rootModules(LISTS.map((list) => old.files.get(list)?.toString('latin1') ?? '').join('\n'));
    return ['dracut', '--force', ...modules.flatMap((name) => ['--add', name]), image, version];
  },
  keep: LISTS,
  addable: {
    forbids: (paths) => paths.find((path) => WAITS_FOR_HARDWARE.test(path)),
  },
};

/** Our file with these drivers too. The blanks within the quotes are dracut.conf(5)'s: values are appended to each other. */
export function dracutConfiguration(text: string, names: readonly string[]): string {
  const there = /^add_drivers\+=" (.*) "$/m.exec(text)?.[1]?.split(' ') ?? [];
  const all = [...new Set([...there, ...names])];
  return all.length === 0
    ? text
    : `# Written by hyper2kvm: the disks and cards of KVM\nadd_drivers+=" ${all.join(' ')} "\n`;
}

/** dracut's modules that the root may need, of those that an image has (one a line). */
export const rootModules = (list: string): string[] => [
  ...new Set(
    list
      .split('\n')
      .map((line) => line.trim())
      .filter((name) => ROOT_MODULES.has(name)),
  ),
];
