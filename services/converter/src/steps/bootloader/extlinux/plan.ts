import { planCommandLine, type CommandLineWishes } from '../command-line.js';
import { planShellVariables } from '../shell.js';
import { chained, planLines, within, type TextPlan } from '../text-plan.js';
import { APPEND_LINE } from './parse.js';

/** extlinux.conf: the `append` lines. */
export function planExtlinux(text: string, wishes: CommandLineWishes): TextPlan {
  return planLines(text, (line) => {
    const [, before, options] = APPEND_LINE.exec(line) ?? [];
    if (before === undefined || options === undefined) return undefined;
    // Of the menu itself: `append` without a kernel's arguments.
    return within(
      before,
      planCommandLine(options, options.includes('=') ? wishes : { ...wishes, serialConsole: false }),
    );
  });
}

/** Alpine's /etc/update-extlinux.conf, which extlinux.conf is made from: its `root=` is the parameter itself. */
export const planUpdateExtlinux = (text: string, wishes: CommandLineWishes): TextPlan => {
  const root = planLines(text, (line) =>
    line.startsWith('root=') ? planCommandLine(line, { ...wishes, serialConsole: false }) : undefined,
  );
  const variables = { commandLines: /^default_kernel_opts$/, all: 'default_kernel_opts' };
  return chained(root, (changed) => planShellVariables(changed, variables, wishes));
};

/** Debian's /etc/default/extlinux. */
export const planExtlinuxDefaults = (text: string, wishes: CommandLineWishes): TextPlan =>
  planShellVariables(text, { commandLines: /^EXTLINUX_(?:ROOT|PARAMETERS)$/, all: 'EXTLINUX_PARAMETERS' }, wishes);
