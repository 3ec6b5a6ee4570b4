import { describe, expect, it } from 'vitest';
import type { ReceivedSpan } from './otlp.js';
import { traceTree, treeText } from './trace-tree.js';

const TRACE = 'a'.repeat(32);
const span = (
  name: string,
  id: string,
  parentId: string | undefined,
  more: Partial<ReceivedSpan> = {},
): ReceivedSpan => ({
  service: 'test',
  name,
  traceId: TRACE,
  spanId: id,
  parentId,
  kind: 'internal',
  start: 1,
  end: 2,
  attributes: {},
  events: [],
  links: [],
  status: 'unset',
  statusMessage: undefined,
  ...more,
});
const piece = (number: number, id: string, before: string): ReceivedSpan =>
  span('work', id, 'r', {
    attributes: { 'hyper2kvm.piece': number },
    links: [{ traceId: TRACE, spanId: before }],
  });
const ROOT = span('root', 'r', undefined);
const WORK = span('work', 'w', 'r');

describe('the tree of a trace', () => {
  it('is shown by its names, pieces as one, equal ones counted', () => {
    const spans = [
      piece(3, 'w3', 'w2'),
      span('b', '2', 'w'),
      span('a', '3', 'w'),
      span('b', '4', 'w'),
      WORK,
      ROOT,
      piece(2, 'w2', 'w'),
      // An export that was repeated.
      WORK,
      span('elsewhere', 'e', undefined, { traceId: 'b'.repeat(32) }),
    ];
    expect(treeText(traceTree(spans, TRACE))).toBe('root\n  work\n    a\n    b ×2');
    expect(traceTree(spans, TRACE).children[0]?.pieces.map(({ spanId }) => spanId)).toEqual(['w2', 'w3']);
    expect(treeText(traceTree(spans, TRACE), ({ name }) => name === 'b')).toBe('root\n  work\n    a');
  });

  it.each<[string, ReceivedSpan[], RegExp]>([
    ['an orphan', [ROOT, span('child', 'c', 'gone')], /child: its parent gone is not there/],
    [
      'a child of another trace',
      [ROOT, span('child', 'c', 'x'), span('other', 'x', undefined, { traceId: 'b'.repeat(32) })],
      /child: its parent other is of another trace/,
    ],
    ['two roots', [ROOT, span('second', 's', undefined)], /2 roots: root, second/],
    ['no root', [span('child', 'c', 'gone')], /0 roots/],
    ['a piece whose first is lost', [ROOT, piece(2, 'w2', 'w')], /work, piece 2: what came before it is not there/],
    ['a gap in the pieces', [ROOT, WORK, piece(3, 'w3', 'w')], /work, piece 3: what came before it/],
    [
      'a child of a later piece',
      [ROOT, WORK, piece(2, 'w2', 'w'), span('child', 'c', 'w2')],
      /child: its parent is a later/,
    ],
  ])('is refused for %s', (_, spans, words) => {
    expect(() => traceTree(spans, TRACE)).toThrow(words);
  });
});
