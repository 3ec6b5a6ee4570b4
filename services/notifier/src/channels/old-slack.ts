import type { OutcomeFact } from '../fact.js';
import { reportOf } from '../messages/index.js';

/** Slack shows 40 000 characters; nobody reads as many. */
const MOST = 3_000;
/** Of a report what is worth a line in a channel; the rest is a command away. */
const FACTS = new Set(['Job', 'Batch', 'Duration', 'Output', 'Error']);
const SECTIONS = new Set(['What happened', 'What to try', 'Look at this']);

/** Incoming webhooks of Slack, commercial and government. */
export const isSlack = ({ hostname }: URL): boolean => /^hooks\.slack(-gov)?\.com$/.test(hostname);

/** What an incoming webhook of Slack takes: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackBody(fact: OutcomeFact): { readonly text: string } {
  if (fact.kind === 'cancelled')
    return { text: escaped(`🚫 ${fact.data.vm_name} was cancelled.\nJob: ${fact.data.job_id}`) };
  const report = reportOf(fact);
  const lines = [
    `${report.outcome === 'completed' ? '✅' : '❌'} ${report.headline}`,
    ...report.facts.filter(([label]) => FACTS.has(label)).map(([label, value]) => `${label}: ${value}`),
    ...report.sections
      .filter(({ title }) => SECTIONS.has(title))
      .flatMap(({ title, lines: said }) => [`${title}:`, ...said.map((line) => `• ${line}`)]),
  ];
  return { text: escaped(lines.join('\n').slice(0, MOST)) };
}

/** The three characters with which Slack marks links and mentions: a VM's name must call nobody. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
