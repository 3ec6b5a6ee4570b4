/** Slack's incoming webhooks, by servers that answer as Slack documents: what they get, and what its answers mean. */
import { SlackChannel, Templates, type Outcome, type SlackSettings } from '@hyper2kvm/notifier';
import { afterEach, describe, expect, it } from 'vitest';
import { digest, fact, message, test } from './notifier-channels-messages.js';
import { closeReceivers, receiver } from './notifier-channels-receiver.js';

const TEMPLATES = Templates.load();
const NEVER = new AbortController().signal;
const OK = { status: 200, text: 'ok' };

afterEach(closeReceivers);

const channel = (settings: Partial<SlackSettings> = {}): SlackChannel =>
  new SlackChannel({ timeout_seconds: 5, ...settings }, TEMPLATES, [5, 20]);
async function one(sending: Promise<readonly Outcome[]>): Promise<Outcome & { reason?: string; afterMs?: number }> {
  const [outcome] = await sending;
  expect(JSON.stringify({ ...outcome, target: '' })).not.toContain('S3CRET');
  return outcome as Outcome;
}
interface Body {
  text: string;
  blocks: { type: string; text?: { text: string } }[];
}

describe('a message to Slack', () => {
  it('is made of blocks, with a text for where they are not shown', async () => {
    const { url, got } = await receiver([OK]);
    const slack = channel();
    for (const told of [message('failed'), digest([fact('failed'), fact('completed')]), test])
      expect((await one(slack.send(told, [url], NEVER))).result).toBe('taken');
    const bodies = got.map(({ body }) => JSON.parse(body) as Body);
    expect(bodies.map(({ blocks }) => blocks[0])).toEqual([
      { type: 'header', text: { type: 'plain_text', text: '❌ production-db: failed', emoji: false } },
      { type: 'header', text: { type: 'plain_text', text: '❌ Batch web farm is through', emoji: false } },
      { type: 'header', text: { type: 'plain_text', text: 'hyper2kvm: test', emoji: false } },
    ]);
    expect(bodies[0]?.text).toContain('No operating system was found on the 2 disks of production-db.');
    for (const { headers } of got) expect(headers['content-type']).toBe('application/json');
  });

  it('calls nobody and links nowhere, whatever a VM is named', async () => {
    const { url, got } = await receiver([OK]);
    const vm_name = '<!channel> @here & [x](http://evil) `<http://x|y>`\n# a header\u202e';
    await channel().send(message('failed', { vm_name }), [url], NEVER);
    const { text, blocks } = JSON.parse(got[0]?.body ?? '') as Body;
    expect(text).toContain("&lt;!channel&gt; @\u2060here &amp; [x]\u2060(http://evil) '&lt;http://x|y&gt;' # a header");
    expect(text).not.toMatch(/[<>\u202e]|@here|\]\(/);
    expect(blocks.filter(({ type }) => type === 'header')).toHaveLength(1);
  });

  it('goes to webhooks by their name, also where jobs may name no others', async () => {
    const { url, got } = await receiver([OK]);
    const own = await receiver([OK]);
    const slack = channel({ webhooks: { ops: url }, allow_urls: ['https://hooks.slack.com/'] });
    expect((await one(slack.send(message('failed'), [url], NEVER))).result).toBe('taken');
    const refused = await one(slack.send(message('failed'), [own.url], NEVER));
    expect([refused.result, refused.reason]).toEqual([
      'refused',
      `notifier.webhook.allow_urls has nothing for ${own.host}`,
    ]);
    expect([got.length, own.got.length]).toEqual([1, 0]);
    expect([slack.shown(url), slack.shown('https://hooks.slack.com/services/T0/B0/S3CRET')]).toEqual([
      'ops',
      'hooks.slack.com',
    ]);
  });

  it('one webhook gets one after the other; another does not wait for it', async () => {
    let now = 0;
    let most = 0;
    const busy = await receiver([OK], 0, async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
    });
    const hanging = await receiver(['silence']);
    const stop = new AbortController();
    const slack = channel();
    const stuck = slack.send(message('failed'), [hanging.url], stop.signal);
    const many = Array.from({ length: 10 }, async () => one(slack.send(message('failed'), [busy.url], NEVER)));
    expect(new Set((await Promise.all(many)).map(({ result }) => result))).toEqual(new Set(['taken']));
    expect(most).toBe(1);
    stop.abort(new Error('the service stops'));
    expect((await one(stuck)).result).toBe('later');
  });
});

describe("Slack's answers", () => {
  it.each([
    [400, 'invalid_payload'],
    [403, 'action_prohibited'],
    [404, 'no_service'],
    [410, 'channel_is_archived'],
  ])('%d %s is final, and told', async (status, text) => {
    const { url, got, host } = await receiver([{ status, text }]);
    const { result, reason } = await one(channel().send(message('failed'), [url], NEVER));
    expect([result, reason]).toEqual(['refused', `${host} answered ${status}: ${text}`]);
    expect(got).toHaveLength(1);
  });

  it('words that might repeat the address are not told', async () => {
    const { url, host } = await receiver([{ status: 404, text: 'no such hook: /hooks/S3CRET' }]);
    expect((await one(channel().send(message('failed'), [url], NEVER))).reason).toBe(`${host} answered 404`);
  });

  it('429 with Retry-After is kept to, by that webhook alone', async () => {
    const limited = await receiver([{ status: 429, headers: { 'retry-after': '30' }, text: 'rate_limited' }]);
    const fine = await receiver([OK]);
    const slack = channel();
    expect(await one(slack.send(message('failed'), [limited.url], NEVER))).toMatchObject({
      result: 'later',
      afterMs: 30_000,
    });
    expect((await one(slack.send(message('failed'), [limited.url], NEVER))).result).toBe('later');
    expect((await one(slack.send(message('failed'), [fine.url], NEVER))).result).toBe('taken');
    expect(limited.got).toHaveLength(1);
  });

  it('500 is tried again, in the end later', async () => {
    const { url, got } = await receiver([{ status: 500, text: 'rollup_error' }, OK]);
    expect((await one(channel().send(message('failed'), [url], NEVER))).result).toBe('taken');
    expect(got).toHaveLength(2);
    const down = await receiver([500]);
    expect((await one(channel().send(message('failed'), [down.url], NEVER))).result).toBe('later');
    down.close();
    expect((await one(channel().send(message('failed'), [down.url], NEVER))).result).toBe('later');
  });
});
