/** Arch and its kin. */
import type { InitramfsBackend } from './backend.js';

const MAIN = '/etc/mkinitcpio.conf';
/** Read after the main file, since mkinitcpio 38. */
const FOLDER = '/etc/mkinitcpio.conf.d';
const DROP_IN = `${FOLDER}/hyper2kvm.conf`;

export const mkinitcpio: InitramfsBackend = {
  name: 'mkinitcpio',
  tools: ['/usr/bin/mkinitcpio'],
  made: (paths) => paths.has('buildconfig') || paths.has('init_functions'),
  images: (version) => ['/boot/initramfs-linux.img', `/boot/initramfs-${version}.img`],
  async configure(files, { names }) {
    const file = (await files.isDir(FOLDER)) ? DROP_IN : MAIN;
    const before = await files.readText(file);
    return [{ file, before, after: appendToModules(before ?? '', names) }];
  },
  // The hook autodetect would keep what the appliance's devices need, and nothing that the guest's do.
  command: ({ version, image }) => ['mkinitcpio', '-k', version, '-g', image, '-S', 'autodetect'],
};

/** The configuration is a shell script: what is appended to the array holds, however it was set before. */
export function appendToModules(text: string, wanted: readonly string[]): string {
  const lines = text.matchAll(/^\s*MODULES\+?=[("']([^)"'\n]*)[)"']/gm);
  const there = new Set([...lines].flatMap((match) => (match[1] ?? '').trim().split(/\s+/)));
  const lacking = wanted.filter((name) => !there.has(name));
  if (lacking.length === 0) return text;
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  // Before mkinitcpio 23 it was a string; MODULES="" is one still where somebody wrote it so.
  const added = /^\s*MODULES=["']/m.test(text) ? `MODULES+=" ${lacking.join(' ')}"` : `MODULES+=(${lacking.join(' ')})`;
  return `${text}${end}# Added by hyper2kvm: the disks and cards of KVM\n${added}\n`;
}
