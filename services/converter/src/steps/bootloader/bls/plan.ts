import { planCommandLine, type CommandLineWishes } from '../command-line.js';
import { usesVariable } from '../grub2/plan.js';
import { planLines, within, type TextPlan } from '../text-plan.js';

/** An entry of the Boot Loader Specification: its `options`, and nothing else. */
export function planBls(text: string, wishes: CommandLineWishes): TextPlan {
  const withoutInitramfs = !/^[ \t]*initrd[ \t]/m.test(text);
  let consoleAdded = false;
  return planLines(text, (line) => {
    const [, before, options] = /^([ \t]*options[ \t]+)(\S.*)$/s.exec(line) ?? [];
    if (before === undefined || options === undefined) return undefined;
    const elsewhere = consoleAdded || usesVariable(options);
    consoleAdded = true;
    return within(before, planCommandLine(options, wishes, { withoutInitramfs, elsewhere }));
  });
}
