// Whatever comes in whatever order: what holds of every job at every time.
import {
  cleanupRequested,
  conversionRequested,
  exportRequested,
  isEnded,
  JOB_STATUSES,
  JobOptions,
  transition,
  TRANSITIONS,
  type JobStatus,
  type JobTrigger,
  type Lane,
} from '@hyper2kvm/contracts';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Job } from '../src/database/index.js';
import { decideCancel, decideConvert, decidePriority, decideRelease, decideRetry } from '../src/jobs/asked.js';
import { decide } from '../src/jobs/decide.js';
import type { Decision } from '../src/jobs/decision.js';
import { decideRefuse } from '../src/jobs/refuse.js';
import { fact, failure } from './facts.js';
import { exportedJob, job, NOW, SETTING } from './given.js';

type FactName = keyof typeof fact;
type Phase = 'export' | 'conversion';

/** What may happen next. */
type Event =
  /** Of one of the attempts that were let out, so that duplicates and older ones are among them. */
  | { readonly kind: 'fact'; readonly name: FactName; readonly which: number; readonly retryable: boolean }
  | { readonly kind: 'retry' | 'cancel' | 'release' | 'convert' }
  | { readonly kind: 'refuse'; readonly retryable: boolean }
  | { readonly kind: 'priority'; readonly lane: Lane };

const REQUESTS: readonly JobTrigger[] = ['retry export', 'retry conversion', 'convert', 'cancel'];
const COMMANDS: Record<Phase, string> = { export: exportRequested.type, conversion: conversionRequested.type };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('fact' as const),
      name: fc.constantFrom(...(Object.keys(fact) as FactName[])),
      which: fc.nat(5),
      retryable: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('retry' as const, 'convert' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refuse' as const), retryable: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('priority' as const),
      lane: fc.constantFrom<Lane>('high', 'normal', 'low'),
    }),
  },
);

/** A job with what its decisions have let out. */
class World {
  row: Job;
  /** Attempts of each phase whose command left, in order. */
  readonly out: Record<Phase, number[]> = { export: [], conversion: [] };
  /** Commands that somebody has, or may take: attempt and generation. */
  readonly waiting: Record<Phase, { attempt: number; generation: number }[]> = { export: [], conversion: [] };

  constructor(autoConvert: boolean) {
    this.row = job({ releasedAt: null, options: JobOptions.parse({ auto_convert: autoConvert, priority: 'high' }) });
  }

  /** The trigger that it was for the table, and what was decided; undefined where nothing is. */
  ask(next: Event): { on: JobTrigger | undefined; decision: Decision | undefined } | undefined {
    const { row } = this;
    const { now, policy, retryable } = SETTING;
    switch (next.kind) {
      case 'fact': {
        const phase: Phase = next.name.startsWith('export.') ? 'export' : 'conversion';
        const attempt = this.out[phase].at(-1 - (next.which % Math.max(1, this.out[phase].length)));
        // A worker speaks only of what it was asked for.
        if (attempt === undefined) return undefined;
        const told = fact[next.name](attempt, failure({ retryable: next.retryable }));
        if (isEnding(next.name)) this.#take(phase, attempt);
        return { on: next.name, decision: decide(row, told, { now, policy, retryable }) };
      }
      case 'retry':
        return {
          on: row.artifactDir === null ? 'retry export' : 'retry conversion',
          decision: decideRetry(row, now),
        };
      case 'cancel':
        return { on: 'cancel', decision: decideCancel(row, 'somebody', now) };
      case 'release':
        return { on: undefined, decision: decideRelease(row, now, policy.max_retries) };
      case 'convert':
        return { on: 'convert', decision: decideConvert(row, { options: row.options, targetPool: null }, now) };
      case 'refuse':
        return {
          on: 'refuse',
          decision: decideRefuse(row, failure({ retryable: next.retryable }), SETTING),
        };
      case 'priority':
        return { on: undefined, decision: decidePriority(row, next.lane, { now, maxRetries: policy.max_retries }) };
    }
  }

  apply(decision: Decision): void {
    this.row = Object.assign(job(), this.row, decision.patch, { version: this.row.version + 1 });
    for (const { kind, type, data } of decision.messages)
      for (const phase of ['export', 'conversion'] as const) {
        if (type !== COMMANDS[phase]) continue;
        const { attempt, generation } = data as { attempt: number; generation: number };
        if (kind === 'command') {
          this.out[phase].push(attempt);
          this.waiting[phase].push({ attempt, generation });
        } else if (kind === 'cancel') this.waiting[phase] = [];
        // A move takes the place of the message that waits; of one that is over it is nothing.
        else if (kind === 'move' && this.waiting[phase].length > 0) this.waiting[phase] = [{ attempt, generation }];
      }
  }

  #take(phase: Phase, attempt: number): void {
    this.waiting[phase] = this.waiting[phase].filter((one) => one.attempt !== attempt);
  }
}

const isEnding = (name: FactName): boolean => !name.endsWith('.started');

/** The command of which phase somebody has to have in this state. */
function owed(row: Job): Phase | undefined {
  if (row.status === 'exporting' || (row.status === 'pending' && row.releasedAt !== null)) return 'export';
  if (row.status === 'converting' || (row.status === 'exported' && row.conversionStatus === 'queued'))
    return 'conversion';
  return undefined;
}

/** Ways of the table, and the retries that follow a failure by themselves. */
function isWay(from: JobStatus, on: JobTrigger, to: JobStatus): boolean {
  const way = TRANSITIONS.find((row) => row.on === on && row.from.includes(from));
  if (way === undefined) return false;
  if (way.to === to) return true;
  if (way.to !== 'failed') return false;
  return to === (on === 'conversion.failed' ? 'exported' : 'pending');
}

it('every order of facts and requests keeps what holds of a job', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(event, { maxLength: 60 }), (autoConvert, events) => {
      const world = new World(autoConvert);
      for (const next of events) {
        const before = world.row;
        const asked = world.ask(next);
        if (asked?.decision === undefined) {
          // Code and table agree on what is nothing, but for what also needs an attempt, or a state beside the status.
          if (asked?.on === 'cancel')
            expect(TRANSITIONS.some((row) => row.on === 'cancel' && row.from.includes(before.status))).toBe(false);
          continue;
        }
        world.apply(asked.decision);
        const after = world.row;
        // Statuses change by the table alone; what ended stays, but for a user's wish.
        if (after.status !== before.status)
          expect([
            before.status,
            asked.on,
            after.status,
            asked.on !== undefined && isWay(before.status, asked.on, after.status),
          ]).toEqual([before.status, asked.on, after.status, true]);
        if (isEnded(before.status) && after.status !== before.status) expect(REQUESTS).toContain(asked.on);
        expect(after.exportAttempt).toBeGreaterThanOrEqual(before.exportAttempt);
        expect(after.conversionAttempt).toBeGreaterThanOrEqual(before.conversionAttempt);
        expect(after.cleanupAttempt).toBeGreaterThanOrEqual(before.cleanupAttempt);
        expect(after.generation).toBeGreaterThanOrEqual(before.generation);
        expect(after.retryCount).toBeGreaterThanOrEqual(before.retryCount);
        expect(isEnded(after.status)).toBe(after.completedAt !== null);
        if (after.status === 'failed') expect(after.failure).not.toBeNull();
        // Exactly one command of the phase that it is in, none of the other.
        const phase = owed(after);
        for (const one of ['export', 'conversion'] as const) {
          const attempt = one === 'export' ? after.exportAttempt : after.conversionAttempt;
          expect([one, after.status, world.waiting[one].map((command) => command.attempt)]).toEqual([
            one,
            after.status,
            phase === one ? [attempt] : [],
          ]);
        }
        // No attempt is asked for twice.
        for (const attempts of Object.values(world.out)) expect(new Set(attempts).size).toBe(attempts.length);
        const cleanups = asked.decision.messages.filter(({ type }) => type === cleanupRequested.type);
        expect(cleanups.length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 1000 },
  );
});

it.each(JOB_STATUSES)('of a job that is %s the table and the code allow the same requests', (status) => {
  const artifacts = exportedJob({ status, conversionStatus: null, conversionAttempt: 0, releasedAt: null });
  const none: Job = Object.assign(job(), artifacts, { artifactDir: null });
  const wish = { options: artifacts.options, targetPool: null };
  const allowed: Partial<Record<JobTrigger, Decision | undefined>> = {
    cancel: decideCancel(artifacts, 'somebody', NOW),
    convert: decideConvert(artifacts, wish, NOW),
    refuse: decideRefuse(artifacts, failure({ retryable: false }), SETTING),
    'retry conversion': decideRetry(artifacts, NOW),
    'retry export': decideRetry(none, NOW),
  };
  for (const [on, decision] of Object.entries(allowed))
    expect([on, decision?.patch.status]).toEqual([on, transition(status, on as JobTrigger)]);
});
