/** From what a .slack template said to blocks that Slack takes. */
import { describe, expect, it } from 'vitest';
import { isSlack } from '../src/channels/index.js';
import { slackMessage, type SlackMessage } from '../src/messages/blocks.js';
import { compile, type Template } from '../src/messages/template.js';

const say = (source: string, view: Record<string, string> = {}): SlackMessage => {
  const variables = Object.fromEntries(Object.keys(view).map((name) => [name, { about: name }]));
  return slackMessage((compile(source, 'slack', variables) as Template)(view));
};
const kinds = ({ blocks }: SlackMessage): string[] => blocks.map(({ type }) => type);

describe('blocks', () => {
  it('are made by marks at the beginning of lines, and ended by empty lines', () => {
    const message = say('# Head\none\ntwo\n\nthree\n\n| a\n| b\n\n---\n-# small\n-# print\n');
    expect(message).toEqual({
      text: 'Head\none\ntwo\nthree\na\nb\nsmall\nprint',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Head', emoji: false } },
        { type: 'section', text: { type: 'mrkdwn', text: 'one\ntwo', verbatim: true } },
        { type: 'section', text: { type: 'mrkdwn', text: 'three', verbatim: true } },
        {
          type: 'section',
          fields: [
            { type: 'mrkdwn', text: 'a', verbatim: true },
            { type: 'mrkdwn', text: 'b', verbatim: true },
          ],
        },
        { type: 'divider' },
        { type: 'context', elements: [{ type: 'mrkdwn', text: 'small\nprint', verbatim: true }] },
      ],
    });
  });

  it('are not made by values', () => {
    const message = say('{{vm}}\n\n| {{vm}}\n', { vm: '# x' });
    expect(kinds(message)).toEqual(['section', 'section']);
  });

  it('keep to the limits of Slack', () => {
    const long = say(`# ${'h'.repeat(200)}\n${'x'.repeat(4000)}\n\n| ${'&'.repeat(3000)}\n`, {});
    const lengths = long.blocks.map((block) =>
      block.type === 'section' && block.fields
        ? block.fields[0]?.text.length
        : 'text' in block && block.text?.text.length,
    );
    expect(lengths).toEqual([150, 3000, 1999]);
    expect(long.text.length).toBeLessThanOrEqual(3000);

    const lines = say(Array.from({ length: 100 }, (_, at) => `${at} ${'y'.repeat(100)}`).join('\n'));
    expect(kinds(lines)).toEqual(['section', 'section', 'section', 'section']);
    expect(JSON.stringify(lines.blocks)).toContain('99 yyy');

    expect(kinds(say(Array.from({ length: 25 }, (_, at) => `| ${at}`).join('\n')))).toHaveLength(3);
    const many = say('# again\n'.repeat(60));
    expect(many.blocks).toHaveLength(50);
    expect(many.blocks.at(-1)).toMatchObject({ type: 'context', elements: [{ text: '… and more.' }] });
  });

  it('are not cut in the middle of an escaped character', () => {
    const { blocks } = say('# {{vm}}', { vm: '<'.repeat(60) });
    expect(JSON.stringify(blocks)).toMatch(/(&lt;)+…/);
    expect(JSON.stringify(blocks)).not.toMatch(/&(l|lt)?…/);
  });

  it('of nothing are none', () => expect(say('# {{vm}}\n\n', { vm: '' })).toEqual({ text: '', blocks: [] }));
});

it.each([
  ['https://hooks.slack.com/services/T0/B0/x', true],
  ['https://hooks.slack-gov.com/services/T0/B0/x', true],
  ['https://hooks.slack.com.evil.example/services', false],
  ['https://cmdb.example.com/hooks.slack.com/', false],
  ['nowhere', false],
])('%s: %s', (url, expected) => expect(isSlack(url)).toBe(expected));
