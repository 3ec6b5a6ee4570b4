/** Alpine. */
import type { InitramfsBackend } from './backend.js';

const CONFIG = '/etc/mkinitfs/mkinitfs.conf';
/** A feature of our own: what Alpine's `virtio` holds depends on the release. */
const FEATURE = 'hyper2kvm';
const FEATURE_FILE = `/etc/mkinitfs/features.d/${FEATURE}.modules`;

export const mkinitfs: InitramfsBackend = {
  name: 'mkinitfs',
  tools: ['/sbin/mkinitfs', '/usr/sbin/mkinitfs'],
  made: (paths) => paths.has('sbin/nlplug-findfs') || paths.has('usr/sbin/nlplug-findfs'),
  images: (version) => [`/boot/initramfs-${/[^-]+$/.exec(version)?.[0] ?? 'lts'}`],
  async configure(files, drivers) {
    const [config, feature] = [await files.readText(CONFIG), await files.readText(FEATURE_FILE)];
    return [
      { file: FEATURE_FILE, before: feature, after: featureModules(feature ?? '', drivers.files) },
      { file: CONFIG, before: config, after: addFeature(config ?? '') },
    ];
  },
  command: ({ version, image }) => ['mkinitfs', '-o', image, version],
};

/** Patterns of the modules' files, one a line; mkinitfs adds what they depend on. */
export function featureModules(text: string, files: readonly string[]): string {
  const lines = text.split('\n').filter((line) => line !== '');
  return [...new Set([...lines, ...files.map((file) => file.replace(/\.ko(?:\.\w+)?$/, '.ko*'))])]
    .map((line) => `${line}\n`)
    .join('');
}

/** `features="ata base ext4"` with ours. */
export function addFeature(text: string): string {
  const line = /^(\s*features=)(["']?)([^"'\n]*)\2[ \t]*$/m.exec(text);
  if (line === null)
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}features="ata base ext4 keymap kms mmc nvme scsi usb virtio ${FEATURE}"\n`;
  const names = (line[3] ?? '').split(/\s+/).filter((name) => name !== '');
  if (names.includes(FEATURE)) return text;
  return text.replace(line[0], () => `${line[1]}"${[...names, FEATURE].join(' ')}"`);
}
