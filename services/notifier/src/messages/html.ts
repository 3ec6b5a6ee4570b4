import { escapeHtml, oneLine } from './escape.js';
import type { Report, ReportSection } from './report.js';

const COLOUR = { completed: '#2e7d32', failed: '#c62828' } as const;
const value = (text: string): string => escapeHtml(oneLine(text, 4000));

/** Mail clients know little CSS: a table, inline styles, nothing fetched from anywhere. */
export function asHtml(report: Report): string {
  const rows = report.facts.map(
    ([label, text]) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#555">${escapeHtml(label)}</td><td style="padding:2px 0">${value(text)}</td></tr>`,
  );
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${value(report.subject)}</title></head>`,
    '<body style="font-family:sans-serif;font-size:14px;color:#222">',
    `<p style="font-size:16px;border-left:4px solid ${COLOUR[report.outcome]};padding-left:12px">${value(report.headline)}</p>`,
    `<table style="border-collapse:collapse">${rows.join('')}</table>`,
    ...report.sections.map(sectionHtml),
    '</body></html>',
    '',
  ].join('\n');
}

function sectionHtml({ title, lines, verbatim }: ReportSection): string {
  const heading = `<h3 style="font-size:14px;margin:16px 0 4px">${escapeHtml(title)}</h3>`;
  if (verbatim) return `${heading}<pre style="margin:0;font-size:13px">${lines.map(value).join('\n')}</pre>`;
  return `${heading}<ul style="margin:0">${lines.map((line) => `<li>${value(line)}</li>`).join('')}</ul>`;
}
