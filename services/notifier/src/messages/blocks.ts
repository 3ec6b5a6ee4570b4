import type { ContextBlock, DividerBlock, HeaderBlock, MrkdwnElement, SectionBlock } from '@slack/types';
import { MARKS } from './template.js';

/** Of the many kinds of blocks those that are used here. */
type Block = HeaderBlock | SectionBlock | ContextBlock | DividerBlock;

export interface SlackMessage {
  /** What is shown where blocks are not: in notifications, and by servers that take Slack's messages and know no blocks. */
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** https://docs.slack.dev/reference/block-kit/blocks */
const LIMITS = { blocks: 50, header: 150, text: 3_000, field: 2_000, fields: 10 } as const;
const MORE: ContextBlock = { type: 'context', elements: [{ type: 'mrkdwn', text: '… and more.' }] };

type Kind = keyof typeof MARKS | 'text';
interface Part {
  readonly kind: Kind;
  readonly lines: string[];
}

/**
 * What a `.slack` template said as blocks: an empty line ends one; lines with the mark of a header or divider are one each; others of
 * the same kind that follow one another are one together.
 */
export function slackMessage(said: string): SlackMessage {
  const parts = partsOf(said);
  const blocks = parts.flatMap(blocksOf);
  return {
    text: shortened(parts.flatMap(({ kind, lines }) => (kind === 'divider' ? [] : lines)).join('\n'), LIMITS.text),
    blocks: blocks.length > LIMITS.blocks ? [...blocks.slice(0, LIMITS.blocks - 1), MORE] : blocks,
  };
}

function partsOf(said: string): Part[] {
  const parts: Part[] = [];
  let open: Part | undefined;
  for (const line of said.split('\n')) {
    const kind = kindOf(line);
    const text = (kind === 'text' ? line : line.slice(1)).trim();
    if (kind !== 'divider' && text === '') {
      // A mark whose variable is not there leaves nothing; an empty line ends what was before.
      if (kind === 'text') open = undefined;
      continue;
    }
    if (open === undefined || open.kind !== kind || kind === 'header' || kind === 'divider') {
      open = { kind, lines: [] };
      parts.push(open);
    }
    open.lines.push(text);
  }
  return parts;
}

const kindOf = (line: string): Kind =>
  (Object.keys(MARKS) as (keyof typeof MARKS)[]).find((kind) => line.startsWith(MARKS[kind])) ?? 'text';

function blocksOf({ kind, lines }: Part): Block[] {
  switch (kind) {
    case 'header':
      return [
        { type: 'header', text: { type: 'plain_text', text: shortened(lines.join(' '), LIMITS.header), emoji: false } },
      ];
    case 'divider':
      return [{ type: 'divider' }];
    case 'field':
      return chunks(lines, LIMITS.fields).map((some) => ({
        type: 'section',
        fields: some.map((line) => mrkdwn(line, LIMITS.field)),
      }));
    case 'context':
      return [{ type: 'context', elements: [mrkdwn(lines.join('\n'), LIMITS.text)] }];
    case 'text':
      return joined(lines).map((text) => ({ type: 'section', text: mrkdwn(text, LIMITS.text) }));
  }
}

/** `verbatim`: what looks like a link or a channel stays text. */
const mrkdwn = (text: string, limit: number): MrkdwnElement => ({
  type: 'mrkdwn',
  text: shortened(text, limit),
  verbatim: true,
});

/** Lines in as few texts as the limit allows. */
function joined(lines: readonly string[]): string[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + line.length < LIMITS.text) texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(line);
  }
  return texts;
}

const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

/** Never in the middle of an entity or of a character. */
function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1).replace(/&[a-z]{0,3}$/, '');
  return `${cut.replace(/[\ud800-\udbff]$/, '')}…`;
}
