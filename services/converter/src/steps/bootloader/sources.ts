/** Files that a guest makes its boot entries from, when a kernel or a boot loader is upgraded. */
import type { GuestFiles, Plan } from './entry.js';
import { planExtlinuxDefaults, planUpdateExtlinux } from './extlinux/plan.js';
import { planGrubDefaults } from './grub2/plan.js';
import { planCommandLine } from './command-line.js';
import { planLines } from './text-plan.js';
import { planShellVariables } from './shell.js';

export interface EntrySource {
  readonly file: string;
  readonly text: string;
  readonly plan: Plan;
}

/** /etc/kernel/cmdline: one line, which kernel-install writes into new entries. */
export const planKernelCmdline: Plan = (text, wishes) => {
  let first = true;
  return planLines(text, (line) => {
    if (line.trim() === '' || line.startsWith('#')) return undefined;
    const plan = planCommandLine(line, { ...wishes, serialConsole: wishes.serialConsole && first });
    first = false;
    return plan;
  });
};

/** SUSE's /etc/sysconfig/bootloader, which older releases make entries from. */
export const planSysconfigBootloader: Plan = (text, wishes) =>
  planShellVariables(text, { commandLines: /^(?:\w+_)?APPEND$/, all: 'DEFAULT_APPEND' }, wishes);

const SOURCES: readonly { readonly folder: string; readonly name: RegExp; readonly plan: Plan }[] = [
  { folder: '/etc/default', name: /^grub$/, plan: planGrubDefaults },
  {
    folder: '/etc/default/grub.d',
    name: /\.cfg$/,
    plan: (text, { resolve }) => planGrubDefaults(text, silent(resolve)),
  },
  { folder: '/etc/kernel', name: /^cmdline$/, plan: planKernelCmdline },
  {
    folder: '/etc/sysconfig',
    name: /^bootloader$/,
    plan: (text, { resolve }) => planSysconfigBootloader(text, silent(resolve)),
  },
  { folder: '/etc', name: /^update-extlinux\.conf$/, plan: planUpdateExtlinux },
  { folder: '/etc/default', name: /^extlinux$/, plan: planExtlinuxDefaults },
];

const silent = (resolve: Parameters<Plan>[1]['resolve']): Parameters<Plan>[1] => ({ resolve, serialConsole: false });

export async function readSources(files: GuestFiles): Promise<EntrySource[]> {
  const found: EntrySource[] = [];
  for (const { folder, name, plan } of SOURCES) {
    for (const each of (await files.list(folder)).filter((there) => name.test(there))) {
      const file = `${folder}/${each}`;
      const text = await files.readText(file);
      if (text !== undefined) found.push({ file, text, plan });
    }
  }
  return found;
}
