import type { OutcomeFact } from '../fact.js';
import { completedReport } from './completed.js';
import { oneLine } from './escape.js';
import { failedReport } from './failed.js';
import { asHtml } from './html.js';
import type { Report } from './report.js';
import { asText } from './text.js';

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type { Report } from './report.js';

export const reportOf = (fact: OutcomeFact): Report =>
  fact.kind === 'completed' ? completedReport(fact.data) : failedReport(fact.data);

/** The e-mail of a fact: pure, so that the same fact always gives the same words. The subject is one line. */
export function composeMail(fact: OutcomeFact): Mail {
  const report = reportOf(fact);
  return { subject: oneLine(report.subject, 200), text: asText(report), html: asHtml(report) };
}
