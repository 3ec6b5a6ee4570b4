import { plural } from '../lib/format.js';
import { asciiMarks } from '../lib/marks.js';
import { pad, type Paint } from '../lib/width.js';
import { wrap } from '../lib/wrap.js';
import { GROUPS, type Group, type Verdict } from './check.js';
import type { Machine } from './machine.js';
import type { Finding } from './run.js';

const MARK: Readonly<Record<Verdict, string>> = { ok: '✅', warning: '⚠️', failed: '❌', skipped: '·' };
const WIDEST_TITLE = 22;
/** Where the text of `why:` and `fix:` begins. */
const INDENT = 12;

export const groupLine = (group: Group, paint: Paint): string => `\n${paint('bold', GROUPS[group])}`;

/** One line, and what to do beneath it where something is to be done. Commands are never cut: they are to be copied. */
export function findingLines({ check, outcome }: Finding, paint: Paint, columns = Infinity): string[] {
  const { verdict, found, why, fix = [] } = outcome;
  const text = verdict === 'skipped' ? paint('dim', found) : found;
  const rows = [...(why === undefined || why === '' ? [] : [['why', why]]), ...fix.map((line) => ['fix', line])];
  return [
    `  ${pad(asciiMarks(MARK[verdict]), 3)}${pad(check.title, WIDEST_TITLE)}  ${text}`,
    ...rows.flatMap(([label = '', line = ''], index) => {
      const repeated = index > 0 && rows[index - 1]?.[0] === label;
      const text = `       ${(repeated ? '' : `${label}:`).padEnd(5)}${line}`;
      return label === 'fix' ? [paint('cyan', text)] : wrap(text, columns, INDENT);
    }),
  ];
}

/** What is looked at. */
export function machineLine({ role, configFile, stack }: Machine): string {
  if (role === 'client') return 'This machine talks to a gateway elsewhere; --all looks at it as if services ran here.';
  if (stack !== undefined) return `The local stack in ${stack.home}${stack.running ? '' : ' (not running)'}`;
  return configFile === undefined ? 'Nothing is set up yet: this is what it needs.' : `The services of ${configFile}`;
}

export function totalLine(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter(({ outcome }) => outcome.verdict === verdict).length;
  const [problems, warnings] = [count('failed'), count('warning')];
  if (problems + warnings === 0) return 'All is well.';
  return `${plural(problems, 'problem')}, ${plural(warnings, 'warning')}.`;
}
