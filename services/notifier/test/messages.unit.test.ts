/** What messages say: the shipped templates as a whole, and names that mean harm. */
import { describe, expect, it } from 'vitest';
import { messageId } from '../src/channels/index.js';
import { Templates, VARIABLES, viewOf, type Variables } from '../src/messages/index.js';
import { digestOf, fact, of, SAMPLES, TEST } from './facts.js';

const TEMPLATES = Templates.load();
const EVERYTHING = {
  'job.completed': of('completed'),
  'job.failed': of('failed'),
  'job.cancelled': of('cancelled'),
  'batch.completed': of('batch'),
  'digest-of-batch': digestOf([fact('failed'), fact('completed'), fact('cancelled')], {
    reason: 'batch',
    batch: SAMPLES.batch,
  }),
  'digest-before-its-end': digestOf([fact('failed'), fact('completed')], { reason: 'batch' }),
  'digest-of-quiet-hours': digestOf([fact('completed'), fact('batch')], { reason: 'quiet hours' }),
  test: TEST,
};

describe('shipped templates', () => {
  it.each(Object.entries(EVERYTHING))('%s says what its golden file has', async (name, message) => {
    const { subject, text, html } = TEMPLATES.mail(message);
    const slack = JSON.stringify(TEMPLATES.slack(message), null, 2);
    await expect([subject, text, html, `${slack}\n`].join('\n=====\n')).toMatchFileSnapshot(`golden/${name}.txt`);
  });
});

describe('variables', () => {
  const names = (variables: Variables): string[] =>
    Object.entries(variables)
      .flatMap(([name, { of: within }]) => [name, ...(within ? names(within) : [])])
      .toSorted();
  const keys = (value: unknown): string[] =>
    Array.isArray(value)
      ? value.slice(0, 1).flatMap(keys)
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, inner]) => [name, ...keys(inner)])
        : [];

  it.each(Object.entries(EVERYTHING))('%s has those of its list, and no other', (_name, message) => {
    const [template, view] = viewOf(message);
    expect(Object.keys(view)).toEqual(Object.keys(VARIABLES[template]));
    expect(names(VARIABLES[template])).toEqual(expect.arrayContaining(keys(view)));
  });

  it('a digest lists so many and counts the rest', () => {
    const many = Array.from({ length: 250 }, () => fact('completed'));
    const [, view] = viewOf(digestOf(many, { reason: 'batch' }));
    expect(view).toMatchObject({ completed: 250, completed_more: 50, failed: 0, total: 250 });
    expect(view['completed_jobs']).toHaveLength(200);
    expect(TEMPLATES.mail(digestOf(many, { reason: 'batch' })).text).toContain('  - and 50 more\n');
  });
});

describe('a completed job', () => {
  it('is not "proven" where nothing was proven', () => {
    const { proof: _proof, libvirt_domain: _domain, ...result } = SAMPLES.completed.result;
    const { subject, text, html } = TEMPLATES.mail(of('completed', { result }));
    expect(subject).toBe('[hyper2kvm] production-db: converted');
    expect(text).toContain('Whether it boots was not tried.');
    expect(text).not.toContain('Boot proof');
    expect(text).toContain('virsh define /var/lib/hyper2kvm/output/2026-01-17/production-db/domain.xml');
    expect(html).not.toContain('Boot proof');
  });

  it('quotes a path that a shell would split', () => {
    const { libvirt_domain: _domain, ...result } = {
      ...SAMPLES.completed.result,
      domain_xml: "/out/it's a vm/domain.xml",
    };
    expect(TEMPLATES.mail(of('completed', { result })).text).toContain(
      String.raw`virsh define '/out/it'\''s a vm/domain.xml'`,
    );
  });
});

it("the job's id stands in the advice", () => {
  const failure = { ...SAMPLES.failed.failure, advice: 'See the log of the job: hyperctl logs --job <id>.' };
  const { text, html } = TEMPLATES.mail(of('failed', { failure }));
  expect(text).toContain('hyperctl logs --job job-7k2m9x4qa3hd.');
  expect(html).not.toContain('&lt;id&gt;');
});

it('a batch all of whose VMs came through is no failure, with a name or without', () => {
  const { name: _name, created_at: _asked, ...data } = { ...SAMPLES.batch, completed: 1, failed: 0, cancelled: 0 };
  const message = { ...of('batch'), facts: [{ ...fact('batch'), data } as never] };
  const { subject, text, html } = TEMPLATES.mail(message);
  expect(subject).toBe('[hyper2kvm] batch batch-3n8d5w2kq7rt: 1 of 1 VM converted');
  expect(text).not.toMatch(/Duration|--status failed/);
  expect(html).toContain('#2e7d32');
  expect(TEMPLATES.mail(of('batch')).html).toContain('#c62828');
});

describe('Message-ID', () => {
  it.each([
    ['0197a2c4-7b1e', '<0197a2c4-7b1e@hyper2kvm>'],
    ['export:job-7k2m9x4qa3hd:1:end', '<export-job-7k2m9x4qa3hd-1-end@hyper2kvm>'],
    ['a>\r\nBcc: b@c', '<a---Bcc--b-c@hyper2kvm>'],
  ])('of %j is %s', (eventId, id) => expect(messageId(eventId)).toBe(id));
});

describe('names that mean harm', () => {
  const evil = '<script>alert("1")</script>&\r\nBcc: all@example.com\u202e{{job_id}}<!channel> @channel';
  const everywhere = [
    of('completed', { vm_name: evil, tags: [evil] }),
    of('failed', { vm_name: evil, failure: { ...SAMPLES.failed.failure, message: evil } }),
    of('cancelled', { vm_name: evil, cancelled_by: evil }),
    of('batch', { name: evil, requested_by: evil }),
    digestOf([fact('failed', { vm_name: evil })], { reason: 'batch', batch: { ...SAMPLES.batch, name: evil } }),
  ];

  it('stay text in HTML', () => {
    const { html } = TEMPLATES.mail(of('completed', { vm_name: evil, tags: [evil] }));
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp; Bcc: all@example.com');
    for (const message of everywhere) expect(TEMPLATES.mail(message).html).not.toMatch(/<script|<!channel|\u202e/);
  });

  it('stay on one line of the subject and of the text, and are no template', () => {
    for (const mail of everywhere.map((message) => TEMPLATES.mail(message))) {
      expect(mail.subject).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(mail.text).not.toMatch(/^Bcc:/m);
      expect(mail.text).not.toContain('\u202e');
      expect(mail.text).toContain('{{job_id}}');
    }
  });

  it('call nobody in Slack', () => {
    for (const message of everywhere) {
      const said = JSON.stringify(TEMPLATES.slack(message));
      expect(said).toContain('&lt;!channel&gt; @\u2060channel');
      expect(said).not.toMatch(/<|@channel|\u202e/);
    }
  });

  it('make no endless subject, and no half characters', () => {
    const { subject } = TEMPLATES.mail(of('failed', { vm_name: '🦊'.repeat(500) }));
    expect(subject.length).toBeLessThanOrEqual(200);
    expect(subject).not.toMatch(/\p{Cs}/u);
  });
});
