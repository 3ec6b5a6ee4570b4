import { readFileSync } from 'node:fs';
import { batchCompleted, jobCompleted, jobFailed } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { isSlack, slackBody } from '../src/channels/old-slack.js';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../libs/contracts/test/golden/${type}.json`, import.meta.url), 'utf8'));
const COMPLETED = jobCompleted.schema.parse(golden('job.completed.v1'));
const FAILED = jobFailed.schema.parse(golden('job.failed.v1'));
const BATCH = batchCompleted.schema.parse(golden('batch.completed.v1'));
const told = { eventId: 'e1', time: COMPLETED.completed_at };

describe('what Slack is told', () => {
  it('of a job that is done, has failed, or was cancelled, and of a batch', () => {
    const { text } = slackBody({ kind: 'completed', ...told, data: COMPLETED });
    expect(text).toMatch(/^✅ production-db was converted to KVM\./);
    expect(text).toContain(`\nJob: ${COMPLETED.job_id}\nDuration: `);
    expect(text).toContain(`\nOutput: ${COMPLETED.result.output_dir}`);
    const failed = slackBody({ kind: 'failed', ...told, data: FAILED }).text;
    expect(failed).toMatch(/^❌ .* was not converted: /);
    expect(failed).toContain(`\nError: ${FAILED.failure.code}\n`);
    expect(failed).toContain(`\nWhat happened:\n• ${FAILED.failure.message}`);
    expect(slackBody({ kind: 'batch', ...told, data: BATCH }).text).toMatch(
      /^❌ The batch web farm is through: 47 of 50/,
    );
    const cancelled = { job_id: 'job-7k2m9x4qa3hd', vm_name: 'db' } as never;
    expect(slackBody({ kind: 'cancelled', ...told, data: cancelled }).text).toBe(
      '🚫 db was cancelled.\nJob: job-7k2m9x4qa3hd',
    );
  });

  it('calls nobody and links nowhere, whatever a VM is named', () => {
    const { text } = slackBody({
      kind: 'completed',
      ...told,
      data: { ...COMPLETED, vm_name: '<!channel> & <http://x|y>' },
    });
    expect(text).toContain('&lt;!channel&gt; &amp; &lt;http://x|y&gt; was converted');
    expect(text).not.toMatch(/[<>]/);
  });
});

it.each([
  ['https://hooks.slack.com/services/T0/B0/x', true],
  ['https://hooks.slack-gov.com/services/T0/B0/x', true],
  ['https://hooks.slack.com.evil.example/services', false],
  ['https://cmdb.example.com/hooks.slack.com/', false],
])('%s: %s', (url, expected) => expect(isSlack(new URL(url))).toBe(expected));
