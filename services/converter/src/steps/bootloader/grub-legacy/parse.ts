/** GRUB 0.97's menu.lst, which Red Hat calls grub.conf: https://www.gnu.org/software/grub/manual/legacy/grub.html */
export interface LegacyEntry {
  readonly title: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly commandLine: string;
  readonly isDefault: boolean;
}

/** `kernel --no-mem-option (hd0,0)/vmlinuz root=/dev/sda1`; under Xen the kernel is a module. */
export const KERNEL_LINE = /^([ \t]*(?:kernel|module)[ \t]+(?:--\S+[ \t]+)*)(\S+)(.*)$/s;

interface Menu {
  readonly title: string;
  kernel?: string;
  commandLine: string;
  initrds: string[];
}

export function parseLegacy(text: string): LegacyEntry[] {
  const menus: Menu[] = [];
  let chosen = 0;
  for (const line of text.split('\n').map((each) => each.replace(/\r$/, ''))) {
    const [, command = '', rest = ''] = /^[ \t]*([a-z]+)(?:[ \t=]+(.*))?$/.exec(line) ?? [];
    const menu = menus.at(-1);
    if (command === 'title') menus.push({ title: rest.trim(), commandLine: '', initrds: [] });
    // `saved` is in a binary file; it is the first but for a person's choice.
    else if (command === 'default' && menu === undefined) chosen = Number(rest.trim()) || 0;
    else if (menu === undefined) continue;
    else if (command === 'initrd') menu.initrds = rest.trim().split(/[ \t]+/);
    else if (command === 'kernel' || command === 'module') kernelOf(menu, command, line);
  }
  return menus.flatMap(({ kernel, ...menu }, place) =>
    kernel === undefined ? [] : [{ ...menu, kernel, isDefault: place === chosen }],
  );
}

function kernelOf(menu: Menu, command: string, line: string): void {
  const [, , kernel = '', rest = ''] = KERNEL_LINE.exec(line) ?? [];
  if (command === 'kernel') {
    menu.kernel = kernel;
    menu.commandLine = rest.trim();
  } else if (/\/vmlinu[xz]/.test(kernel)) {
    menu.kernel = kernel;
    menu.commandLine = rest.trim();
  } else menu.initrds = [kernel];
}
