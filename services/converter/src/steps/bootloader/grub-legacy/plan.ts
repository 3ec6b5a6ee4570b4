import { planCommandLine, type CommandLineWishes } from '../command-line.js';
import { planLines, within, type TextPlan } from '../text-plan.js';
import { KERNEL_LINE } from './parse.js';

/** Debian's update-grub keeps what it makes entries from in comments: `# kopt=root=/dev/sda1 ro`. */
const MAGIC_COMMENT = /^(#[ \t]*(?:x?kopt\w*|xenkopt|xenhopt)=)(.*)$/s;

/** menu.lst: the arguments of the kernels, and the magic comments that later ones are made from. */
export function planLegacy(text: string, wishes: CommandLineWishes): TextPlan {
  return planLines(text, (line) => {
    const [, comment, options] = MAGIC_COMMENT.exec(line) ?? [];
    if (comment !== undefined && options !== undefined) return within(comment, planCommandLine(options, wishes));
    const [, before, kernel = '', rest = ''] = KERNEL_LINE.exec(line) ?? [];
    if (before === undefined || rest.trim() === '') return undefined;
    return within(before + kernel, planCommandLine(rest, wishes));
  });
}
