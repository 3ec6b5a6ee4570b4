import { describe, expect, it } from 'vitest';
import { told } from '../src/progress/state.js';
import { PLAIN_START, plainLines } from '../src/progress/plain.js';
import { JOB_ID, START } from '../../test/support/cli-samples.js';
import { play, WHOLE } from './progress-samples.js';

describe('plain lines', () => {
  it('are timestamped, and each thing is said once', () => {
    const model = play(...WHOLE);
    const { lines, state: after } = plainLines(model, PLAIN_START, START);
    expect(lines[0]).toBe(`2026-01-17T10:00:00Z Conversion of production-db, job ${JOB_ID}`);
    expect(lines).toContain('2026-01-17T10:00:04Z Disk 2/2 downloaded: production-db_1.vmdk, 40 GB (2s)');
    expect(lines.every((line) => /^2026-01-17T10:\d\d:\d\dZ \S/.test(line))).toBe(true);
    expect(plainLines(told(model), after, START).lines).toEqual([]);
  });

  it('leave out of the log what progress tells itself, and what programs print', () => {
    const line = { job_id: JOB_ID, time: new Date(START).toISOString(), level: 'info', phase: 'conversion' } as const;
    const model = play(
      ...WHOLE.slice(0, 1),
      [0, { type: 'log', log: { ...line, message: 'fstab: done in 2s', course: true } }],
      [0, { type: 'log', log: { ...line, message: 'a line of a program', source: 'dracut' } }],
      [0, { type: 'log', log: { ...line, message: 'Detected: Debian' } }],
    );
    const { lines } = plainLines(model, PLAIN_START, START);
    expect(lines.filter((text) => /done in|program|Detected/.test(text))).toEqual([
      '2026-01-17T10:00:00Z Detected: Debian',
    ]);
  });

  it('say a disk at most every 5 seconds', () => {
    const model = play(...WHOLE.slice(0, 4));
    const first = plainLines(model, PLAIN_START, START + 2000);
    expect(first.lines.filter((line) => line.includes('disk 1/2'))).toHaveLength(1);
    const soon = plainLines(told(model), first.state, START + 6900);
    expect(soon.lines).toEqual([]);
    const later = plainLines(told(model), soon.state, START + 7000);
    expect(later.lines).toHaveLength(2);
  });
});
