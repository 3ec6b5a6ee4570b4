/** What the guest needs before its root file system is there. virtio_net is for roots on the network, and costs nothing. */
export const VIRTIO_MODULES = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'virtio_net'] as const;

/** Module names of files: `…/kernel/drivers/block/virtio_blk.ko.xz` → `virtio_blk` ('-' and '_' are the same to modprobe). */
export function moduleNames(paths: Iterable<string>): Set<string> {
  const names = new Set<string>();
  for (const path of paths) {
    const name = /([^/\s]+)\.ko(?:\.(?:xz|gz|zst))?(?=:|$)/.exec(path.trim())?.[1];
    if (name !== undefined) names.add(name.replaceAll('-', '_'));
  }
  return names;
}

export interface ModuleNeeds {
  /** To be put into the initramfs. */
  readonly missing: readonly string[];
  /** Neither built in nor there as a module: this kernel cannot have them. */
  readonly unavailable: readonly string[];
}

/** Which modules an initramfs lacks: what is built into the kernel counts as there. */
export function neededModules(kernel: {
  /** Lines of modules.builtin. */
  readonly builtin: readonly string[];
  /** Paths of the kernel's modules (first column of modules.dep). */
  readonly modules: readonly string[];
  /** Paths that the initramfs lists. */
  readonly listing: readonly string[];
}): ModuleNeeds {
  const [builtin, modules, present] = [kernel.builtin, kernel.modules, kernel.listing].map(moduleNames);
  const absent = VIRTIO_MODULES.filter((name) => !builtin?.has(name) && !present?.has(name));
  return {
    missing: absent.filter((name) => modules?.has(name)),
    unavailable: absent.filter((name) => !modules?.has(name)),
  };
}

/** /etc/initramfs-tools/modules with the missing names appended; unchanged when they are there already. */
export function appendModules(text: string, wanted: readonly string[]): string {
  const there = new Set(text.split('\n').map((line) => line.trim().split(/\s+/)[0]?.replaceAll('-', '_')));
  const lacking = wanted.filter((name) => !there.has(name));
  if (lacking.length === 0) return text;
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${end}# Added by hyper2kvm: the disks and cards of KVM\n${lacking.join('\n')}\n`;
}

/** The policy in force: `most` (default), `dep`, `list`, `netboot`; files in the order in which they are read. */
export function modulesPolicy(files: readonly string[]): string {
  const values = files.flatMap((text) => [...text.matchAll(/^\s*MODULES=["']?(\w+)/gm)].map((match) => match[1] ?? ''));
  return values.at(-1) ?? 'most';
}
