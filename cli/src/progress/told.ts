import type { JobDetail } from '@hyper2kvm/contracts';
import { printable } from '../lib/format.js';

type Row = readonly [label: string, value: string];

/** Who hears of the end of a job by its own wish; the addresses are shown as the gateway shows them, without their secrets. */
export function toldRows(job: JobDetail): Row[] {
  const rows: (readonly [string, string | null | undefined])[] = [
    ['E-mail', job.notify_email],
    ['Slack', job.slack_webhook],
    ['Callback', job.callback_url],
  ];
  return rows.flatMap(([label, value]): Row[] => (value == null ? [] : [[label, printable(value)]]));
}
