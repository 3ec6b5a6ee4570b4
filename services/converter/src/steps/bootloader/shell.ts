/** Files of shell variables that hold command lines: /etc/default/grub and its like. */
import { planCommandLine, type CommandLineWishes } from './command-line.js';
import { chained, planLines, within, type TextPlan } from './text-plan.js';

/** A line `NAME=value` with an optional `export`, quotes and what follows them. */
const ASSIGNMENT = /^([ \t]*(?:export[ \t]+)?(\w+)=)(.*)$/s;

export interface ShellVariables {
  /** Names of the variables that hold (parts of) command lines. */
  readonly commandLines: RegExp;
  /** The one that every entry gets: a wished console is added to it. */
  readonly all: string;
}

/** Comments and everything else stay byte for byte. */
export function planShellVariables(
  text: string,
  { commandLines, all }: ShellVariables,
  wishes: CommandLineWishes,
): TextPlan {
  const devices = planLines(text, (line) => {
    const [, before, name, value] = ASSIGNMENT.exec(line) ?? [];
    if (before === undefined || name === undefined || value === undefined || !commandLines.test(name)) return undefined;
    return within(before, planCommandLine(value, { ...wishes, serialConsole: false }));
  });
  const has = devices.text.split('\n').some((line) => commandLines.test(nameOf(line)) && /console=ttyS0\b/.test(line));
  return wishes.serialConsole && !has ? chained(devices, (changed) => planShellConsole(changed, all, wishes)) : devices;
}

const nameOf = (line: string): string => ASSIGNMENT.exec(line)?.[2] ?? '';

function planShellConsole(text: string, all: string, wishes: CommandLineWishes): TextPlan {
  // The last assignment is the one that counts.
  const last = text.split('\n').findLastIndex((line) => nameOf(line) === all);
  if (last < 0) {
    const added = planCommandLine('', wishes);
    const end = text === '' || text.endsWith('\n') ? '' : '\n';
    return { ...added, text: `${text}${end}${all}="${added.text}"\n` };
  }
  return planLines(text, (line, index) => {
    const [, before = '', , value = ''] = index === last ? (ASSIGNMENT.exec(line) ?? []) : [];
    if (before === '') return undefined;
    const quote = /^["']/.exec(value)?.[0];
    const close = quote === undefined ? -1 : value.indexOf(quote, 1);
    if (quote === undefined || close < 0) {
      const word = /^[^\s#]*/.exec(value)?.[0] ?? '';
      return within(`${before}"`, planCommandLine(word, wishes), `"${value.slice(word.length)}`);
    }
    return within(`${before}${quote}`, planCommandLine(value.slice(1, close), wishes), value.slice(close));
  });
}
