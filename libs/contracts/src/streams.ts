import { LANES, type Lane } from './words.js';

const HOUR_MS = 3_600_000;

/** Retention of a stream, as NATS names it. */
export interface StreamDefinition {
  readonly name: StreamName;
  readonly retention: 'workqueue' | 'limits';
  readonly subjects: readonly string[];
  /** Age after which messages go, in milliseconds; undefined keeps them. */
  readonly maxAgeMs?: number;
  readonly maxPerSubject?: number;
  /** Of all subjects together; beyond it the oldest go. */
  readonly maxMessages?: number;
}

export const STREAM_NAMES = [
  'EXPORT_HIGH',
  'EXPORT_NORMAL',
  'EXPORT_LOW',
  'CONVERSION_HIGH',
  'CONVERSION_NORMAL',
  'CONVERSION_LOW',
  'TASKS',
  'FACTS',
  'PROGRESS',
  'LOGS',
  'DEAD_LETTERS',
] as const;
export type StreamName = (typeof STREAM_NAMES)[number];

/** The stream of a lane: `export.requested` on `high` lies in EXPORT_HIGH. */
export function laneStream(command: string, lane: Lane): StreamName {
  const [kind = ''] = command.split('.');
  const name = `${kind.toUpperCase()}_${lane.toUpperCase()}`;
  const found = STREAM_NAMES.find((stream) => stream === name);
  if (found === undefined) throw new Error(`no stream for ${command} on lane ${lane}`);
  return found;
}

const lanes = (command: string): StreamDefinition[] =>
  LANES.map((lane) => ({
    name: laneStream(command, lane),
    retention: 'workqueue',
    subjects: [`${command}.${lane}.>`],
  }));

/** About 650 bytes each with their headers, so 6.5 GB: the logs of 50,000 jobs of 200 lines. */
const LOG_LINES = 10_000_000;

/** Every stream, declared by whichever service starts first. Facts and logs stay as long as jobs do; what is deleted is deleted by job. */
export const STREAMS: readonly StreamDefinition[] = [
  ...lanes('export.requested'),
  ...lanes('conversion.requested'),
  { name: 'TASKS', retention: 'workqueue', subjects: ['task.>'] },
  {
    name: 'FACTS',
    retention: 'limits',
    subjects: [
      ...['created', 'reprioritised', 'retried', 'completed', 'failed', 'cancelled'].map((fact) => `job.${fact}.>`),
      ...['started', 'completed', 'failed'].flatMap((fact) => [`export.${fact}.>`, `conversion.${fact}.>`]),
      ...['completed', 'failed'].flatMap((fact) => [
        `cleanup.${fact}.>`,
        `verify.${fact}.>`,
        `import.${fact}.>`,
        `hook.${fact}.>`,
      ]),
      'batch.completed.>',
    ],
  },
  { name: 'PROGRESS', retention: 'limits', subjects: ['job.progress.>'], maxAgeMs: 7 * 24 * HOUR_MS, maxPerSubject: 1 },
  { name: 'LOGS', retention: 'limits', subjects: ['job.log.>'], maxPerSubject: 10_000, maxMessages: LOG_LINES },
  { name: 'DEAD_LETTERS', retention: 'limits', subjects: ['dead.>'], maxAgeMs: 90 * 24 * HOUR_MS },
];

/** Key-value buckets and what lies in them. */
export const BUCKETS = {
  /** Paused and draining workers, cancelled jobs. */
  control: 'control',
  /** The record of each phase of a job: attempt, generation, lease, done. */
  claims: 'claims',
  /** Heartbeats of workers; entries vanish by themselves. */
  workers: 'workers',
  /** What became of each notification, and those that wait for a digest or for the end of quiet hours. */
  notifications: 'notifications',
} as const;
