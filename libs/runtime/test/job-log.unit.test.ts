import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import { LineSplitter } from '../src/process/line-splitter.js';
import { ProcessOutput, withOutput } from '../src/process/output.js';
import { runGuarded, spawnGuarded } from '../src/process/spawn.js';
import { plainText } from '../src/telemetry/plain-text.js';
import { JobLogLines } from '../src/work/log-lines.js';
import { beganSentence } from '../src/work/sentences.js';

const sinkOf = () => {
  const lines: string[] = [];
  return { lines, output: (source: string, line: string) => void lines.push(`${source}: ${line}`) };
};

describe('what a program prints', () => {
  it('is cut into lines, wherever the chunks end; a carriage return begins a line anew', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const chunk of [
      'one\ntw',
      'o\r\n(10%)\r(20',
      '%)\rdone\n',
      Buffer.from([0xc3]),
      Buffer.from([0xa4]),
      '\nrest',
    ])
      splitter.write(chunk);
    splitter.end();
    expect(lines.map((line) => line.trimEnd())).toEqual(['one', 'two', 'done', 'ä', 'rest']);
  });

  it('is bounded, also without any end of line', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (let chunk = 0; chunk < 100; chunk += 1) splitter.write('x'.repeat(1000));
    splitter.write('\nnext\n');
    expect(lines).toEqual([`${'x'.repeat(500)}…`, 'next']);
  });

  it('keeps its beginning and its end', () => {
    const sink = sinkOf();
    const output = new ProcessOutput('dracut', sink);
    for (let line = 1; line <= 1320; line += 1) output.line(`line ${line}`);
    expect(sink.lines).toHaveLength(60);
    output.end();
    output.line('too late');
    expect(sink.lines).toHaveLength(121);
    expect(sink.lines[60]).toBe('dracut: … 1,200 lines left out');
    expect(sink.lines.at(-1)).toBe('dracut: line 1320');
  });

  it('has no colours, no control characters and no secrets', () => {
    expect(plainText('\u001b[31mred\u001b[0m\u0007 \u202eab', 100)).toBe('red ab');
    expect(plainText('psk=hunter2, wifi.private_key: abc', 100)).toBe('psk=[redacted], wifi.private_key: [redacted]');
    expect(plainText('nbd://root:hunter2@host/x', 100)).toBe('nbd://root:[redacted]@host/x');
    expect(plainText('Authorization: Bearer abc.def, password="a b" token=xyz', 100)).toBe(
      'Authorization: [redacted], password=[redacted] token=[redacted]',
    );
    expect(plainText('v2v --password hunter2 --vddk-token "a b" --no-trim', 100)).toBe(
      'v2v --password [redacted] --vddk-token [redacted] --no-trim',
    );
    expect(plainText('POST https://hooks.slack.com/services/T0/B0/x: 404', 100)).toBe(
      'POST https://hooks.slack.com/[redacted] 404',
    );
    expect(plainText('dracut: no token of LUKS was found', 100)).toBe('dracut: no token of LUKS was found');
  });
});

describe('a child of a job', () => {
  it('tells the log of its job what it prints, before its end is known', async () => {
    const sink = sinkOf();
    await withOutput(sink, () => runGuarded('bash', ['-c', 'echo data; echo "a warning" >&2; printf unended >&2']));
    expect(sink.lines).toEqual(['bash: a warning', 'bash: unended']);
    const both = sinkOf();
    const child = withOutput(both, () => spawnGuarded('bash', ['-c', 'echo data; echo no >&2'], { logged: 'both' }));
    await child.exited;
    expect(both.lines.toSorted()).toEqual(['bash: data', 'bash: no']);
    const none = sinkOf();
    const silent = withOutput(none, () => spawnGuarded('bash', ['-c', 'echo x >&2'], { logged: 'none' }));
    await Promise.all([once(silent.stderr.resume(), 'end'), silent.exited]);
    expect(none.lines).toEqual([]);
  });
});

describe("the lines of a start in the job's log", () => {
  it('are numbered, and bounded with a sentence that says so; errors always pass', () => {
    const lines = new JobLogLines();
    expect(lines.add('info', 'first', { step: 'trim' })).toEqual([
      { level: 'info', message: 'first', step: 'trim', number: 1 },
    ]);
    const all = Array.from({ length: 2500 }, (_, index) => lines.add('debug', `line ${index}`, { source: 'x' })).flat();
    expect(all).toHaveLength(2001);
    expect(all.at(-1)).toMatchObject({ level: 'warn', number: 2002 });
    expect(all.at(-1)?.message).toContain('2,000 lines of it are kept');
    for (let index = 0; index < 2100; index += 1) lines.add('info', 'x', {});
    expect(lines.add('info', 'x', {})).toEqual([]);
    expect(lines.add('error', 'the end', {})).toMatchObject([{ level: 'error', message: 'the end' }]);
  });

  it('begin with who does it, and why it begins again', () => {
    const askedAt = '2026-01-17T10:00:00.000Z';
    const start = {
      activity: 'export',
      attempt: 2,
      worker: 'kvm01-exporter',
      starts: 1,
      maxStarts: 3,
      askedAt,
    } as const;
    const at = Date.parse(askedAt);
    expect(beganSentence(start, at + 75_000)).toBe(
      'Export, attempt 2, begins on kvm01-exporter, 1m 15s after it was asked for',
    );
    expect(beganSentence(start, at - 5000)).toBe('Export, attempt 2, begins on kvm01-exporter');
    expect(beganSentence({ ...start, starts: 2 }, at)).toBe(
      'Export, attempt 2, begins again on kvm01-exporter: an earlier start of it never came to an end (start 2 of 3)',
    );
  });
});
