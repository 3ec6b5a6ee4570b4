import { assert, integer, property, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../src/lib/sse.js';

const parse = (chunks: readonly string[]): unknown[] => {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
};

describe('server-sent events', () => {
  const stream =
    ': a comment\n\nevent: progress\ndata: {"a":1}\n\nid: 7\nevent: log\r\ndata: first\r\ndata: second: line\r\n\r\nretry: 1500\rdata:ü€😀\n\ndata\n\nevent: empty\n\n';

  it('reads events, ids, comments, several data lines, any line end', () => {
    expect(parse([stream])).toEqual([
      { event: 'progress', data: '{"a":1}', id: undefined },
      { event: 'log', data: 'first\nsecond: line', id: '7' },
      { event: 'message', data: 'ü€😀', id: '7' },
      { event: 'message', data: '', id: '7' },
    ]);
  });

  it('gives the same wherever the stream is cut', () => {
    const cuts = uniqueArray(integer({ min: 0, max: stream.length }), { maxLength: 12 });
    assert(
      property(cuts, (at) => {
        const points = [0, ...at.toSorted((a, b) => a - b), stream.length];
        const chunks = points.slice(1).map((end, index) => stream.slice(points[index], end));
        expect(parse(chunks)).toEqual(parse([stream]));
      }),
    );
  });

  it('keeps the id of the time before a reconnect, and the pause that the server asks for', () => {
    const parser = new SseParser('41');
    expect(parser.push('retry: 250\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x', id: '41' }]);
    expect(parser.retryMs).toBe(250);
  });

  it('does not give an event before its empty line', () => {
    expect(parse(['event: end\ndata: {}\n'])).toEqual([]);
  });
});
