/** Debian and Ubuntu. */
import type { Edit, GuestFiles, InitramfsBackend } from './backend.js';

const CONFIG = '/etc/initramfs-tools';
const MODULES = `${CONFIG}/modules`;
/** Read last of conf.d, where later files win. */
const OVERRIDE = `${CONFIG}/conf.d/zz-hyper2kvm`;
const OVERRIDE_TEXT = '# Written by hyper2kvm: "dep" knew the disks of VMware only\nMODULES=most\n';

export const initramfsTools: InitramfsBackend = {
  name: 'update-initramfs',
  tools: ['/usr/sbin/update-initramfs'],
  made: (paths) => paths.has('scripts/functions') && (paths.has('conf/initramfs.conf') || paths.has('conf/arch.conf')),
  images: (version) => [`/boot/initrd.img-${version}`],
  async configure(files, { names }, rebuild) {
    const before = await files.readText(MODULES);
    const edits: Edit[] = [{ file: MODULES, before, after: appendModules(before ?? '', names) }];
    // `dep` asks /sys for the disk that holds the root: in here that is the appliance's, not the guest's.
    if (rebuild && modulesPolicy(await configuration(files)) === 'dep') {
      edits.push({ file: OVERRIDE, before: await files.readText(OVERRIDE), after: OVERRIDE_TEXT });
    }
    return edits;
  },
  command: ({ version }) => ['update-initramfs', '-u', '-k', version],
  keep: ['conf/modules'],
  addable: {
    // Copied from /etc/initramfs-tools/modules without its comments; `init` loads them in this order.
    loadList: { path: 'conf/modules', with: (text, names) => `${withEnd(text)}${names.join('\n')}\n` },
    // Of older releases; the newer have no such file.
    noted: (version) => `/var/lib/initramfs-tools/${version}`,
    forbids: () => undefined,
  },
};

/** /etc/initramfs-tools/modules with the missing names appended; unchanged when they are there already. */
export function appendModules(text: string, wanted: readonly string[]): string {
  const there = new Set(text.split('\n').map((line) => line.trim().split(/\s+/)[0]?.replaceAll('-', '_')));
  const lacking = wanted.filter((name) => !there.has(name));
  if (lacking.length === 0) return text;
  return `${withEnd(text)}# Added by hyper2kvm: the disks and cards of KVM\n${lacking.join('\n')}\n`;
}

const withEnd = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);

/** The policy in force: `most` (default), `dep`, `list`, `netboot`; files in the order in which they are read. */
export function modulesPolicy(files: readonly string[]): string {
  const values = files.flatMap((text) => [...text.matchAll(/^\s*MODULES=["']?(\w+)/gm)].map((match) => match[1] ?? ''));
  return values.at(-1) ?? 'most';
}

async function configuration(files: GuestFiles): Promise<string[]> {
  const names = [`${CONFIG}/initramfs.conf`];
  for (const name of await files.list(`${CONFIG}/conf.d`)) names.push(`${CONFIG}/conf.d/${name}`);
  const texts: string[] = [];
  for (const name of names) texts.push((await files.readText(name)) ?? '');
  return texts;
}
