import { oneLine } from './escape.js';
import type { Report } from './report.js';

/** For mail readers without HTML, and for people who prefer that. */
export function asText(report: Report): string {
  const width = Math.max(...report.facts.map(([label]) => label.length)) + 2;
  const facts = report.facts.map(([label, value]) => `${`${label}:`.padEnd(width)}${oneLine(value)}`);
  const sections = report.sections.flatMap(({ title, lines, verbatim }) => [
    '',
    title,
    ...lines.map((line) => `${verbatim ? '    ' : '  - '}${oneLine(line, 4000)}`),
  ]);
  return `${[oneLine(report.headline), '', ...facts, ...sections].join('\n')}\n`;
}
