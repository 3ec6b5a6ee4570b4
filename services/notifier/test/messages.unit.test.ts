import { readFileSync } from 'node:fs';
import {
  batchCompleted,
  jobCompleted,
  jobFailed,
  type JobCompleted,
  type BatchCompleted,
  type JobFailed,
} from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { messageId } from '../src/channels/index.js';
import { composeMail, type MailFact } from '../src/messages/index.js';

const golden = (type: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../libs/contracts/test/golden/${type}.json`, import.meta.url), 'utf8'));
const COMPLETED: JobCompleted = jobCompleted.schema.parse(golden('job.completed.v1'));
const FAILED: JobFailed = jobFailed.schema.parse(golden('job.failed.v1'));
const completed = (change: Partial<JobCompleted> = {}): MailFact => ({
  kind: 'completed',
  eventId: 'e1',
  time: COMPLETED.completed_at,
  data: { ...COMPLETED, ...change },
});
const failed = (change: Partial<JobFailed> = {}): MailFact => ({
  kind: 'failed',
  eventId: 'e2',
  time: FAILED.completed_at,
  data: { ...FAILED, ...change },
});

const BATCH: BatchCompleted = batchCompleted.schema.parse(golden('batch.completed.v1'));
const batch = (change: Partial<BatchCompleted> = {}): MailFact => ({
  kind: 'batch',
  eventId: 'e3',
  time: '2026-01-17T18:00:00Z',
  data: { ...BATCH, ...change },
});

describe('a batch', () => {
  it('is told with its totals', () => {
    const { subject, text, html } = composeMail(batch());
    expect(subject).toBe('[hyper2kvm] batch web farm: 47 of 50 VMs converted, 2 failed, 1 cancelled');
    expect(text).toBe(`The batch web farm is through: 47 of 50 VMs converted, 2 failed, 1 cancelled.

Batch:        batch-3n8d5w2kq7rt
Name:         web farm
VMs:          50
Converted:    47
Failed:       2
Cancelled:    1
Asked for by: ops
Duration:     8h 0m

More
    hyperctl batches report batch-3n8d5w2kq7rt
    hyperctl list --batch batch-3n8d5w2kq7rt --status failed
`);
    expect(html).toContain('<td style="padding:2px 0">47</td>');
  });

  it('of which all came through is no failure, with a name or without', () => {
    const { name: _name, created_at: _asked, ...plain } = { ...BATCH, completed: 1, failed: 0, cancelled: 0 };
    const { subject, text, html } = composeMail({ ...batch(), data: plain } as MailFact);
    expect(subject).toBe('[hyper2kvm] batch batch-3n8d5w2kq7rt: 1 of 1 VM converted');
    expect(text).not.toMatch(/Duration|--status failed/);
    expect(html).toContain('#2e7d32');
    expect(composeMail(batch()).html).toContain('#c62828');
  });
});

describe('a completed job', () => {
  it('says in text all that somebody wants to know', () => {
    const { subject, text } = composeMail(completed());
    expect(subject).toBe('[hyper2kvm] production-db: converted, proven to boot');
    expect(text)
      .toBe(`production-db was converted to KVM. The converted guest booted and reported from inside after 47s.

VM:             production-db
Job:            job-7k2m9x4qa3hd
Guest:          Red Hat Enterprise Linux 8.9 (Ootpa)
Duration:       12m 57s
Size:           220.1 GB on 2 disks, 74.4 GB downloaded
Output:         /var/lib/hyper2kvm/output/2026-01-17/production-db
libvirt domain: production-db
Tags:           production, database
Trace:          4bf92f3577b34da6a3ce929d0e0e4736

Look at this
  - open-vm-tools is still installed: it does nothing on KVM and can be removed.

Boot proof
  - Hostname: production-db
  - Kernel: 4.18.0-513.5.1.el8_9.x86_64
  - Addresses: ens192 10.0.2.15/24, ens224 10.0.3.15/24
  - Serial log: /var/lib/hyper2kvm/output/2026-01-17/production-db/evidence/serial.log
  - Screenshot: /var/lib/hyper2kvm/output/2026-01-17/production-db/evidence/screen.png

Files
    /var/lib/hyper2kvm/output/2026-01-17/production-db/disk1.qcow2
    /var/lib/hyper2kvm/output/2026-01-17/production-db/disk2.qcow2
    /var/lib/hyper2kvm/output/2026-01-17/production-db/domain.xml
    /var/lib/hyper2kvm/output/2026-01-17/production-db/manifest.json

Next
    virsh start production-db
    hyperctl logs --job job-7k2m9x4qa3hd
`);
  });

  it('does not say "proven" where nothing was proven', () => {
    const { proof: _proof, libvirt_domain: _domain, ...result } = COMPLETED.result;
    const { subject, text, html } = composeMail(completed({ result }));
    expect(subject).toBe('[hyper2kvm] production-db: converted');
    expect(text).toContain('Whether it boots was not tried.');
    expect(text).not.toContain('Boot proof');
    expect(text).toContain('virsh define /var/lib/hyper2kvm/output/2026-01-17/production-db/domain.xml');
    expect(html).not.toContain('Boot proof');
  });

  it('tells of units that failed in the guest', () => {
    const proof = { ...COMPLETED.result.proof, failed_units: ['vmtoolsd.service'] } as JobCompleted['result']['proof'];
    const { text } = composeMail(completed({ result: { ...COMPLETED.result, proof } }));
    expect(text).toContain('Failed units: vmtoolsd.service');
  });

  it('quotes a path that a shell would split', () => {
    const result = { ...COMPLETED.result, domain_xml: "/out/it's a vm/domain.xml" };
    const { libvirt_domain: _domain, ...undefinedYet } = result;
    expect(composeMail(completed({ result: undefinedYet })).text).toContain(
      String.raw`virsh define '/out/it'\''s a vm/domain.xml'`,
    );
  });
});

describe('a failed job', () => {
  it('says what happened, what to try, and where the log is', () => {
    const { subject, text } = composeMail(failed());
    expect(subject).toBe('[hyper2kvm] production-db: failed, no operating system was found in the disks');
    expect(text).toContain('What happened\n  - No operating system was found on the 2 disks of production-db.\n');
    expect(text).toContain('What to try\n  - Check that all disks belong to this VM.\n');
    expect(text).toContain('Phase:    conversion, step inspect\n');
    expect(text).toContain('Attempts: 2\n');
    expect(text).toContain('    hyperctl logs --job job-7k2m9x4qa3hd\n');
  });

  it("puts the job's id into the advice", () => {
    const advice = 'See the log of the job: hyperctl logs --job <id>.';
    const { text, html } = composeMail(failed({ failure: { ...FAILED.failure, advice } }));
    expect(text).toContain('hyperctl logs --job job-7k2m9x4qa3hd.');
    expect(html).not.toContain('&lt;id&gt;');
  });
});

describe('Message-ID', () => {
  it.each([
    ['0197a2c4-7b1e', '<0197a2c4-7b1e@hyper2kvm>'],
    ['export:job-7k2m9x4qa3hd:1:end', '<export-job-7k2m9x4qa3hd-1-end@hyper2kvm>'],
    ['a>\r\nBcc: b@c', '<a---Bcc--b-c@hyper2kvm>'],
  ])('of %j is %s', (eventId, id) => expect(messageId(eventId)).toBe(id));
});

describe('names that mean harm', () => {
  const evil = '<script>alert("1")</script>&\r\nBcc: all@example.com\u202e';

  it('stay text in HTML', () => {
    const { html } = composeMail(completed({ vm_name: evil, tags: ['<b>'] }));
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp; Bcc: all@example.com');
    expect(html).not.toMatch(/<script|<b>/);
  });

  it('stay on one line of the subject and of the text', () => {
    for (const mail of [composeMail(completed({ vm_name: evil })), composeMail(failed({ vm_name: evil }))]) {
      expect(mail.subject).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(mail.text).not.toMatch(/^Bcc:/m);
      expect(mail.text).not.toContain('\u202e');
    }
  });

  it('do not make an endless subject', () => {
    expect(composeMail(failed({ vm_name: 'x'.repeat(1000) })).subject.length).toBeLessThanOrEqual(200);
  });
});
