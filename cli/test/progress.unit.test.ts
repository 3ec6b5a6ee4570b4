import { describe, expect, it } from 'vitest';
import { reduce } from '../src/progress/model.js';
import { EMPTY, type ViewEvent } from '../src/progress/state.js';
import { PLAIN_START, plainLines } from '../src/progress/plain.js';
import { happenedLines } from '../src/progress/happened.js';
import { liveLines } from '../src/progress/live.js';
import { painter, stringWidth } from '../src/lib/width.js';
import { completed, converting, exporting, failed, job, JOB_ID, START } from '../../test/support/cli-samples.js';
import {
  WIDE,
  play,
  accepted,
  state,
  logged,
  cleanup,
  tail,
  done,
  WHOLE,
  transferring,
  waits,
} from './progress-samples.js';

describe('the progress of a job', () => {
  it('tells the whole way in order, as the terminal shows it', () => {
    expect(happenedLines(play(...WHOLE), WIDE)).toEqual([
      '',
      '🚀 Starting VM conversion',
      `Job ID: ${JOB_ID}`,
      '',
      'Phase 1: Connecting to vSphere',
      '  ✅ Connected to vcenter.example.com',
      '  ✅ Found VM: production-db (2 disks, 100 GB total)',
      '',
      'Phase 2: Exporting from vSphere',
      '  📥 Downloading disk 2/2: production-db_1.vmdk',
      '  [████████████████████████████████] 100% (40 GB) - 20.0 GB/s',
      '  ✅ Disk 2 downloaded (2s)',
      '',
      '  📥 Downloading disk 1/2: production-db.vmdk',
      '  [████████████████████████████████] 100% (60 GB) - 8.6 GB/s',
      '  ✅ Disk 1 downloaded (7s)',
      '  ✅ Export complete',
      '',
      'Phase 3: Queued for conversion',
      '  ⏳ Waiting in conversion queue (position: 2)',
      '  ⏳ Queue position: 1',
      '  ▶️  Conversion started',
      '',
      'Phase 4: Converting to KVM',
      '  ✅ Guest OS detected (2s)',
      '  ✅ VirtIO drivers injected (37s)',
      '  ✅ Output in place (10s)',
      '  ✅ Conversion complete (4m 32s)',
      '',
      'Phase 5: Cleanup',
      '  ✅ Cleanup complete',
    ]);
  });

  it('only ever adds to what happened: lines that scrolled away are not taken back', () => {
    let model = EMPTY;
    for (const [seconds, event] of WHOLE) {
      const next = reduce(model, event, START + seconds * 1000);
      expect(next.happened.slice(0, model.happened.length)).toEqual(model.happened);
      model = next;
    }
  });

  it('draws a bar per disk under way, with rate and ETA of its capacity', () => {
    const model = play(...WHOLE.slice(0, 5));
    expect(liveLines(model, START + 4000, WIDE)).toEqual([
      '  📥 Downloading disk 1/2: production-db.vmdk',
      '  [████████████████░░░░░░░░░░░░░░░░] 50% (30 GB of 60 GB) - 15.0 GB/s - ETA: 2s',
      '  Total: 70% (70 GB of 100 GB) - 15.0 GB/s - ETA: 2s - 1 of 2 disks done',
    ]);
  });

  it('takes rates and durations from the times of the messages, whenever they arrive', () => {
    // All at once, after a broken connection; and the clock here is behind by an hour.
    const late = START - 3_600_000;
    let model = reduce(play([0, accepted]), transferring('2026-01-17T10:00:02Z', [0, 0]), late);
    model = reduce(model, transferring('2026-01-17T10:00:06Z', [30, 20]), late);
    expect(liveLines(model, late, WIDE)).toEqual([
      '  📥 Downloading disk 1/2: production-db.vmdk',
      '  [████████████████░░░░░░░░░░░░░░░░] 50% (30 GB of 60 GB) - 7.5 GB/s - ETA: 4s',
      '  📥 Downloading disk 2/2: production-db_1.vmdk',
      '  [████████████████░░░░░░░░░░░░░░░░] 50% (20 GB of 40 GB) - 5.0 GB/s - ETA: 4s',
      '  Total: 50% (50 GB of 100 GB) - 12.5 GB/s - ETA: 4s - 0 of 2 disks done',
    ]);
    const step = { ...converting('inspect', 0), time: '2026-01-17T10:01:00Z' };
    const seconds = liveLines(reduce(model, { type: 'progress', progress: step }, late), late + 7_000, WIDE)[0];
    expect(seconds).toMatch(/Detecting the guest OS\.\.\. . 7s$/);
  });

  it.each([
    [12, 9],
    [7, 5],
    [4, 4],
    [1, 1],
  ])('draws what fits of 4 disks into %i lines', (rows, count) => {
    const [disk] = exporting([30, 0], ['transferring', 'waiting']).disks ?? [];
    if (disk === undefined) throw new Error('no disk');
    const disks = [1, 2, 3, 4].map((index) => ({ ...disk, index }));
    const model = play([0, accepted], [1, { type: 'progress', progress: { ...exporting([0, 0], ['', '']), disks } }]);
    const lines = liveLines(model, START, { ...WIDE, rows });
    expect(lines).toHaveLength(count);
    if (rows === 7) expect(lines[0]).toBe('  1/4 production-db.vmdk [████████████████░░░░░░░░░░░░░░░░] 50%');
    if (rows === 4) expect(lines.slice(-2)[0]).toBe('  and 2 more under way');
    expect(lines.at(-1)).toContain('Total: 50% (120 GB of 240 GB)');
  });

  it('shows the step that runs, and where one waits', () => {
    expect(liveLines(play(...WHOLE.slice(0, 11)), START + 35_000, WIDE)[0]).toMatch(
      /^ {2}💉 Injecting VirtIO drivers\.\.\. . 2s$/,
    );
    expect(liveLines(play(...WHOLE.slice(0, 11)), START, WIDE)[1]).toBe(
      '  [███░░░░░░░░░░░░░░░░░░░░░░░░░░░░░] 10% (step 2 of 9)',
    );
    const queued = [1, 3, 2].map((count) =>
      play([0, accepted], ...[3, 2, 1].slice(0, count).map((n): [number, ViewEvent] => [n, waits(n)])),
    );
    // The position that stands right above is not said again.
    expect(queued.map((model) => liveLines(model, START, WIDE)[0])).toEqual([
      expect.stringMatching(/^ {5}.$/),
      expect.stringMatching(/^ {5}.$/),
      expect.stringMatching(/^ {2}⏳ Queue position: 2 .$/),
    ]);
  });

  it.each([10, 17, 24, 30, 40, 60, 80])('fits into %i columns', (columns) => {
    for (let count = 1; count <= WHOLE.length; count += 1) {
      const model = play(...WHOLE.slice(0, count));
      const lines = [
        ...happenedLines(model, { columns, paint: painter(true) }).filter((line) => line.includes('█')),
        ...liveLines(model, START, { columns, paint: painter(true) }),
      ];
      for (const line of lines) expect(stringWidth(line), line).toBeLessThanOrEqual(columns);
    }
  });

  it('uses no escape sequence without colour', () => {
    expect(happenedLines(play(...WHOLE), WIDE).join('')).not.toContain('\u001b');
    expect(happenedLines(play(...WHOLE), { columns: 100, paint: painter(true) }).join('')).toContain('\u001b');
  });

  it('does not let a name from elsewhere steer the terminal', () => {
    const model = play(
      [0, state({ status: 'exporting' })],
      [
        1,
        {
          type: 'log',
          log: {
            job_id: JOB_ID,
            time: '2026-01-17T10:00:01Z',
            level: 'warn',
            phase: 'export',
            message: 'evil\u001b[2J\nname',
          },
        },
      ],
    );
    expect(happenedLines(model, WIDE).at(-1)).toBe('  ⚠️  evil[2J name');
  });

  it('counts every disk as done when the export ended, also when the last progress got lost', () => {
    const model = play(...WHOLE.slice(0, 5), [10, state({ status: 'exported' })]);
    expect(model.happened.filter(({ what }) => what.kind === 'disk')).toHaveLength(2);
  });

  it('skips no phase when facts overtake each other', () => {
    const phases = play([0, accepted], [1, state({ status: 'converting' })]).happened.flatMap(({ what }) =>
      what.kind === 'phase' ? [what.number] : [],
    );
    expect(phases).toEqual([1, 2, 3, 4]);
  });

  it('goes back for a retry, and says why and when', () => {
    const due = '2026-01-17T10:05:00Z';
    const model = play(...WHOLE.slice(0, 5), [10, { type: 'job', job: failed({ next_retry_at: due }) }]);
    expect(model.happened.at(-1)?.what).toMatchObject({ kind: 'retry', at: due, count: 1 });
    expect(liveLines({ ...model, stage: 'waiting for export' }, START, WIDE)[0]).toContain('Next attempt in 5m 0s');
    const again = play(
      ...WHOLE.slice(0, 9),
      [31, { type: 'job', job: failed({ next_retry_at: due }) }],
      [40, state({})],
    );
    expect(again.stage).toBe('waiting for export');
    expect(again.happened.at(-1)?.what).toMatchObject({ kind: 'phase', number: 2 });
  });

  it('goes back for a retry that the gateway has made pending already, and says so once', () => {
    const due = '2026-01-17T10:05:00Z';
    const { failure } = failed();
    const waiting = state({ retry_count: 1, next_retry_at: due, failure });
    const model = play(...WHOLE.slice(0, 5), [10, waiting], [11, waiting]);
    expect(happenedLines(model, WIDE).slice(-4)).toEqual([
      '  ⚠️  The attempt failed: no space left in /srv/out: 3 GB are missing',
      `  🔁 Retry 1 starts at ${due}`,
      '',
      'Phase 2: Exporting from vSphere',
    ]);
    expect(liveLines(model, START, WIDE)[0]).toContain('Next attempt in 5m 0s');
  });

  it('says why a job is not in the queue yet: newest above all on a terminal, each as a line without one', () => {
    const first = state({ waiting_reason: '4 of 4 disks of host esx07 are being exported; 2 jobs are ahead' });
    const second = state({ waiting_reason: '4 of 4 disks of host esx07 are being exported' });
    const model = play([0, accepted], [0, first], [1, first], [2, second]);
    expect(liveLines(model, START, WIDE)[0]).toMatch(/^ {2}⏳ 4 of 4 disks of host esx07 are being exported .$/);
    expect(plainLines(model, PLAIN_START, START).lines.filter((line) => line.includes('Waiting'))).toEqual([
      '2026-01-17T10:00:00Z Waiting: 4 of 4 disks of host esx07 are being exported; 2 jobs are ahead',
      '2026-01-17T10:00:02Z Waiting: 4 of 4 disks of host esx07 are being exported',
    ]);
    expect(liveLines(play([0, accepted], [0, first], [3, state({})]), START, WIDE)[0]).toContain(
      'Waiting in export queue',
    );
  });

  it('speaks of files where there is no vCenter', () => {
    const files: ViewEvent = { ...accepted, origin: { local: true, label: 'OVA web.ova' } };
    const here = { vcenter_server: 'local' };
    const exporting1 = { type: 'progress', progress: exporting([1, 0], ['transferring', 'waiting']) } as const;
    const before = play([0, files], [0, state({ ...here, status: 'exporting' })]);
    expect(liveLines(before, START, WIDE)[0]).toContain('Checking the files');
    const under = reduce(before, exporting1, START);
    expect(liveLines(under, START, WIDE)[0]).toBe('  📥 Reading disk 1/2: production-db.vmdk');
    const end = reduce(under, { type: 'end', job: completed(here) }, START);
    for (const lines of [happenedLines(end, WIDE), plainLines(end, PLAIN_START, START).lines])
      expect(lines.join('\n')).not.toMatch(/vSphere|vCenter|ownload|local$/m);
    expect(plainLines(end, PLAIN_START, START).lines).toContain('2026-01-17T10:00:00Z Files can be read: OVA web.ova');
    // Who joins later knows less.
    const joined = play([0, state({ ...here, status: 'exporting' })]);
    expect(happenedLines(joined, WIDE)).toContain('Phase 2: Exporting from the files');
  });

  describe('after the end of a job', () => {
    it.each(['cancelled', 'failed'] as const)('%s: shows the removal of what the export left', (status) => {
      const ended = (change: object): ReturnType<typeof job> => failed({ status, cleanup: cleanup(change) });
      const going = play(...WHOLE.slice(0, 4), [5, { type: 'job', job: ended({ status: 'queued' }) }]);
      expect(going.stage).toBe('cleaning');
      expect(tail(going).slice(1)).toEqual(['', 'Phase 5: Cleanup']);
      expect(liveLines(going, START, WIDE)[0]).toContain('Removing what the export left');
      const end = reduce(going, { type: 'end', job: ended({ status: 'completed' }) }, START);
      expect(tail(end)).toEqual(['', 'Phase 5: Cleanup', '  ✅ Cleanup complete']);
      expect(happenedLines(end, WIDE).filter((line) => line === 'Phase 5: Cleanup')).toHaveLength(1);
      expect(liveLines(end, START, WIDE)).toEqual([]);
    });

    it('says what is left, and when that is tried again', () => {
      const left = cleanup({
        status: 'queued',
        message: 'Snapshot "x" stays.',
        next_try_at: '2026-01-17T10:10:00.123Z',
      });
      const end = play(...WHOLE.slice(0, 4), [5, { type: 'end', job: job({ status: 'cancelled', cleanup: left }) }]);
      expect(tail(end).at(-1)).toBe('  ⚠️  Snapshot "x" stays. It is tried again at 2026-01-17T10:10:00Z');
      const given = {
        ...job({ status: 'cancelled' }),
        cleanup: cleanup({ status: 'failed', message: 'Snapshot "x" stays.' }),
      };
      const last = play(...WHOLE.slice(0, 4), [5, { type: 'end', job: given }]);
      // Also: no disk is under way any more.
      expect(plainLines(last, PLAIN_START, START).lines.at(-1)).toBe(
        '2026-01-17T10:00:05Z Snapshot "x" stays. It is not tried again: remove it in vCenter',
      );
    });

    it('is not moved by the progress of a clean-up, which counts attempts of its own', () => {
      const before = play(...WHOLE.slice(0, 5));
      const cleaning = { ...exporting([0, 0], ['waiting', 'waiting']), phase: 'cleanup', attempt: 7 } as const;
      expect(reduce(before, { type: 'progress', progress: cleaning }, START)).toEqual(before);
    });

    it('says nothing where there was nothing to remove', () => {
      const end = play(...WHOLE.slice(0, 4), [5, { type: 'end', job: failed() }]);
      expect(happenedLines(end, WIDE).join('\n')).not.toContain('Cleanup');
    });

    it('a completed one is converted before its snapshot is gone', () => {
      const model = play(...WHOLE.slice(0, 12), [80, done({})], [81, done({})]);
      expect(tail(model)).toEqual(['  ✅ Conversion complete (4m 32s)', '', 'Phase 5: Cleanup']);
      const end = reduce(model, { ...done({ status: 'completed' }), type: 'end' }, START);
      expect(tail(end)).toEqual(['', 'Phase 5: Cleanup', '  ✅ Cleanup complete']);
    });
  });

  it('joins a job under way without its old log', () => {
    const model = play(
      [5, { type: 'job', job: job({ status: 'exporting', updated_at: '2026-01-17T10:00:03Z' }) }],
      [5, logged('2026-01-17T10:00:01Z', 'old')],
      [5, logged('2026-01-17T10:00:04Z', 'new')],
      [6, { type: 'progress', progress: converting('bootloader', 4) }],
    );
    expect(happenedLines(model, WIDE).join('\n')).toContain('new');
    expect(happenedLines(model, WIDE).join('\n')).not.toContain('old');
    expect(happenedLines(model, WIDE)).toContain('  ✅ 4 of 9 steps already done');
  });

  it('of an export ends when the disks are there, and queues nothing', () => {
    const rests = job({ status: 'exported', phase: 'conversion' });
    const model = play([0, { ...accepted, exportOnly: true }], [5, { type: 'job', job: rests }]);
    const lines = happenedLines(model, WIDE);
    expect(lines).toContain('🚀 Starting VM export');
    expect(lines.at(-1)).toMatch(/Export complete/);
    expect(lines.join('\n')).not.toContain('Queued for conversion');
  });

  it('of a job that starts later says nothing of disks, and when it starts', () => {
    const reason = 'it does not start before 22:00';
    const model = play(
      [0, { ...accepted, accepted: { ...accepted.accepted, disks: [] } }],
      [1, { type: 'job', job: job({ waiting_reason: reason, estimated_start: '2026-01-17T12:00:00Z' }) }],
    );
    expect(happenedLines(model, WIDE).join('\n')).not.toMatch(/Found VM|Connected/);
    expect(liveLines(model, START, WIDE)[0]).toContain('⏳ It does not start before 22:00, starts in about 2 h ');
  });

  it('says when the gateway is away, while the job goes on', () => {
    const away = play(...WHOLE.slice(0, 4), [5, { type: 'connection', state: 'lost' }]);
    expect(liveLines(away, START, WIDE).at(-1)).toContain('The gateway does not answer');
    const back = reduce(away, { type: 'connection', state: 'restored' }, START);
    expect(liveLines(back, START, WIDE).join('')).not.toContain('does not answer');
    expect(happenedLines(back, WIDE).at(-1)).toBe('  ✅ The gateway is back');
  });
});
