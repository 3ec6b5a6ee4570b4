import { describe, expect, it } from 'vitest';
import {
  isEnded,
  JOB_STATUSES,
  JOB_TRIGGERS,
  phaseOf,
  retryDelayMs,
  RetryPolicy,
  transition,
  TRANSITIONS,
  type JobStatus,
  type JobTrigger,
} from '../src/index.js';

/** The table once more, written the other way round: what each state does at each trigger ("-": nothing). */
const EXPECTED: Record<JobStatus, Partial<Record<JobTrigger, JobStatus>>> = {
  pending: {
    'export.started': 'exporting',
    'export.completed': 'exported',
    'export.failed': 'failed',
    refuse: 'failed',
    cancel: 'cancelled',
  },
  exporting: { 'export.completed': 'exported', 'export.failed': 'failed', cancel: 'cancelled' },
  exported: {
    convert: 'exported',
    'conversion.started': 'converting',
    'conversion.completed': 'completed',
    'conversion.failed': 'failed',
    cancel: 'cancelled',
  },
  converting: { 'conversion.completed': 'completed', 'conversion.failed': 'failed', cancel: 'cancelled' },
  completed: {},
  failed: { 'retry export': 'pending', 'retry conversion': 'exported', cancel: 'cancelled' },
  cancelled: {},
};

describe('the transition table', () => {
  it.each(JOB_STATUSES.flatMap((from) => JOB_TRIGGERS.map((on) => [from, on] as const)))('%s on %s', (from, on) => {
    expect(transition(from, on)).toBe(EXPECTED[from][on]);
  });

  it('says why for each row, and has no two rows for the same state and trigger', () => {
    const pairs = TRANSITIONS.flatMap((row) => row.from.map((from) => `${from} ${row.on}`));
    expect(new Set(pairs).size).toBe(pairs.length);
    for (const row of TRANSITIONS) expect(row.why.length).toBeGreaterThan(10);
  });

  it('leaves an end only by a request of the user', () => {
    for (const status of JOB_STATUSES.filter((one) => isEnded(one))) {
      for (const on of JOB_TRIGGERS.filter((one) => one.includes('.'))) expect(transition(status, on)).toBeUndefined();
    }
  });

  it('reaches every state from pending', () => {
    const reached = new Set<JobStatus>(['pending']);
    for (const from of reached) for (const to of Object.values(EXPECTED[from])) reached.add(to);
    expect([...reached].toSorted()).toEqual([...JOB_STATUSES].toSorted());
  });
});

describe('phaseOf', () => {
  it('follows the state, and stays where a job failed or was cancelled', () => {
    expect(JOB_STATUSES.map((status) => phaseOf(status, 'conversion'))).toEqual([
      'export',
      'export',
      'conversion',
      'conversion',
      'cleanup',
      'conversion',
      'conversion',
    ]);
    expect(phaseOf('failed', 'export')).toBe('export');
  });
});

describe('the retry policy', () => {
  const policy = RetryPolicy.parse({});

  it("is the seed's by default: 5, 10 and 20 minutes, then no more", () => {
    expect([0, 1, 2, 3].map((retries) => retryDelayMs(policy, retries, true))).toEqual([
      300_000,
      600_000,
      1_200_000,
      undefined,
    ]);
  });

  it('does not repeat what cannot get better', () => {
    expect(retryDelayMs(policy, 0, false)).toBeUndefined();
  });
});
