import type { OutcomeFact } from '../fact.js';
import { batchReport } from './batch.js';
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
export { readTemplates, TemplateError } from './read.js';
export type { SlackMessage } from './blocks.js';
export { Templates, viewOf } from './templates.js';
export { VARIABLES, type MessageName, type Variable, type Variables } from './variables.js';

/** What is said by e-mail; a job that was cancelled is not worth one. */
export type MailFact = Exclude<OutcomeFact, { kind: 'cancelled' }>;

export function reportOf(fact: MailFact): Report {
  switch (fact.kind) {
    case 'completed':
      return completedReport(fact.data);
    case 'failed':
      return failedReport(fact.data);
    case 'batch':
      return batchReport(fact.data);
  }
}

/** The e-mail of a fact: pure, so that the same fact always gives the same words. The subject is one line. */
export function composeMail(fact: MailFact): Mail {
  const report = reportOf(fact);
  return { subject: oneLine(report.subject, 200), text: asText(report), html: asHtml(report) };
}
