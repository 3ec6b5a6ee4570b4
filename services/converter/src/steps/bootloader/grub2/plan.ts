/** Edits of GRUB 2's files. grub.cfg is edited directly: making it anew takes 11 s without KVM and asks every disk. */
import { planCommandLine, type CommandLineWishes } from '../command-line.js';
import { planShellVariables } from '../shell.js';
import { chained, planLines, unchanged, within, type TextPlan } from '../text-plan.js';
import { formatGrubenv, grubenvValue } from './grubenv.js';
import { LINUX_LINE, SET_LINE } from './parse.js';

/** The sections of grub.cfg with entries for other systems on the disks. */
const FOREIGN = /^### (BEGIN|END) \/etc\/grub\.d\/30_os-prober ###/;
/** Variables of grub.cfg and grubenv that the entries of RHEL 8 and Fedora take their arguments from. */
const KERNEL_OPTIONS = /^(?:default_)?kernelopts$/;
/** A Linux under Xen is a module of the hypervisor. */
const MODULE_LINE = /^([ \t]*module2?[ \t]+)(\S+)(.*)$/s;

/** grub.cfg: the arguments of the kernels, and nothing else. `set root='hd0,msdos1'` is only a guess before `search`. */
export function planGrubCfg(text: string, wishes: CommandLineWishes): TextPlan {
  const bare = withoutInitramfs(text.split('\n'));
  let foreign = false;
  return planLines(text, (line, index) => {
    const section = FOREIGN.exec(line)?.[1];
    if (section !== undefined) foreign = section === 'BEGIN';
    const linux = LINUX_LINE.exec(line) ?? MODULE_LINE.exec(line);
    if (linux) {
      const [, before = '', kernel = '', rest = ''] = linux;
      // Also of Xen's modules: an initramfs has no arguments.
      if (rest.trim() === '') return undefined;
      const facts = { foreign, withoutInitramfs: bare.has(index), elsewhere: usesVariable(rest) };
      return within(before + kernel, planCommandLine(rest, wishes, facts));
    }
    const [, name, value] = SET_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined || !KERNEL_OPTIONS.test(name)) return undefined;
    return planQuoted(line.slice(0, line.length - value.length), value, wishes);
  });
}

/** `$kernelopts`: the arguments are in grubenv. */
export const usesVariable = (commandLine: string): boolean => /\$\{?kernelopts\b/.test(commandLine);

function planQuoted(before: string, value: string, wishes: CommandLineWishes): TextPlan {
  const quote = /^["']/.exec(value)?.[0];
  const close = quote === undefined ? -1 : value.lastIndexOf(quote);
  if (quote === undefined || close <= 0)
    return within(before, planCommandLine(value, { ...wishes, serialConsole: false }));
  return within(before + quote, planCommandLine(value.slice(1, close), wishes), value.slice(close));
}

/** Lines that start a kernel which no `initrd` line follows within the entry. */
function withoutInitramfs(lines: readonly string[]): Set<number> {
  const bare = new Set<number>();
  let last: number | undefined;
  for (const [index, line] of lines.entries()) {
    if (LINUX_LINE.test(line)) {
      bare.add(index);
      last = index;
    } else if (/^[ \t]*initrd(?:16|efi)?[ \t]/.test(line) && last !== undefined) bare.delete(last);
    else if (/^[ \t]*menuentry[ \t]/.test(line)) last = undefined;
  }
  return bare;
}

/**
 * /etc/default/grub and /etc/default/grub.d: the command lines, and GRUB_DISABLE_LINUX_UUID, which makes grub-mkconfig
 * write root=/dev/sda1, so that what it makes later says the same.
 */
export function planGrubDefaults(text: string, wishes: CommandLineWishes): TextPlan {
  const enabled = planLines(text, (line) => {
    const [, before, quote = '', after] = /^([ \t]*GRUB_DISABLE_LINUX_UUID=)(["']?)true\2(.*)$/s.exec(line) ?? [];
    if (before === undefined) return undefined;
    const edits = ['GRUB_DISABLE_LINUX_UUID: true → false'];
    return { text: `${before}${quote}false${quote}${after}`, edits, unresolved: [] };
  });
  const variables = { commandLines: /^GRUB_CMDLINE_(?:LINUX|XEN)\w*$/, all: 'GRUB_CMDLINE_LINUX' };
  return chained(enabled, (changed) => planShellVariables(changed, variables, wishes));
}

/** The arguments in grubenv (RHEL 8); a block that they no longer fit into stays as it is, as GRUB would not read it. */
export function planGrubenv(text: string, wishes: CommandLineWishes): TextPlan {
  const options = grubenvValue(text, 'kernelopts');
  if (options === undefined) return unchanged(text);
  const plan = planCommandLine(options, wishes);
  if (plan.text === options) return { ...plan, text };
  const changed = formatGrubenv(text, 'kernelopts', plan.text);
  return changed === undefined
    ? { text, edits: [], unresolved: ['kernelopts, which have no room for it,'] }
    : { ...plan, text: changed };
}

/** Roots by the BIOS's number of a disk other than the first, which no `search` corrects. */
export function uncertainRoots(text: string): string[] {
  const roots = new Set<string>();
  let root: string | undefined;
  for (const line of text.split('\n')) {
    const set = /^[ \t]*set[ \t]+root=['"(]*(hd\d+[^'")\s]*)/.exec(line)?.[1];
    if (set !== undefined) root = set;
    else if (/^[ \t]*search(?:\.fs_uuid|\.fs_label)?[ \t]/.test(line)) root = undefined;
    else if (LINUX_LINE.test(line) && root !== undefined && !root.startsWith('hd0')) roots.add(root);
  }
  return [...roots];
}
