/** A job from its first line to its last, as the gateway tells it. */
import { reduce } from '../src/progress/model.js';
import { EMPTY, type Model, type ViewEvent } from '../src/progress/state.js';
import { happenedLines } from '../src/progress/happened.js';
import { painter } from '../src/lib/width.js';
import { completed, converting, exporting, GB, job, JOB_ID, START } from '../../test/support/cli-samples.js';

export const WIDE = { columns: 100, paint: painter(false) };

/** Events, each so many seconds after the start. */
export const play = (...events: readonly [seconds: number, event: ViewEvent][]): Model =>
  events.reduce((model, [seconds, event]) => {
    const at = START + seconds * 1000;
    const sent: ViewEvent =
      event.type === 'progress'
        ? { ...event, progress: { ...event.progress, time: new Date(at).toISOString() } }
        : event;
    return reduce(model, sent, at);
  }, EMPTY);

export const accepted: ViewEvent & { type: 'accepted' } = {
  type: 'accepted',
  origin: { local: false, label: 'vcenter.example.com' },
  accepted: {
    job_id: JOB_ID,
    status: 'started',
    vm_name: 'production-db',
    disks: [60, 40].map((size, index) => ({
      name: `disk${index}.vmdk`,
      size_gb: size,
      capacity_bytes: size * GB,
      status: 'queued' as const,
    })),
    created_at: '2026-01-17T10:00:00Z',
    estimated_duration: null,
  },
};
export const state = (change: Parameters<typeof job>[0]): ViewEvent => ({ type: 'job', job: job(change) });

export const logged = (time: string, message: string): ViewEvent => ({
  type: 'log',
  log: { job_id: JOB_ID, time, level: 'info', phase: 'export', message },
});

export const cleanup = (change: object): ReturnType<typeof job>['cleanup'] => ({
  status: 'in_progress',
  message: null,
  next_try_at: null,
  ...change,
});
export const tail = (model: Model): string[] => happenedLines(model, WIDE).slice(-3);

export const done = (change: object): ViewEvent & { type: 'job' } => ({
  type: 'job',
  job: completed({ cleanup: cleanup(change) }),
});

export const WHOLE: readonly [number, ViewEvent][] = [
  [0, accepted],
  [0, state({})],
  [1, state({ status: 'exporting' })],
  [2, { type: 'progress', progress: exporting([0, 0], ['transferring', 'transferring']) }],
  [4, { type: 'progress', progress: exporting([30, 40], ['transferring', 'done']) }],
  [9, { type: 'progress', progress: exporting([60, 40], ['done', 'done']) }],
  [10, state({ status: 'exported', phase: 'conversion', queue_position: 2 })],
  [20, state({ status: 'exported', phase: 'conversion', queue_position: 1 })],
  [30, state({ status: 'converting', phase: 'conversion' })],
  [31, { type: 'progress', progress: converting('inspect', 0) }],
  [33, { type: 'progress', progress: converting('initramfs', 1) }],
  [70, { type: 'progress', progress: converting('commit', 8) }],
  [80, { type: 'end', job: completed({ completed_at: '2026-01-17T10:01:20Z' }) }],
];

/** Both disks of the sample under way, at a time. */
export const transferring = (time: string, done: readonly [number, number]): ViewEvent => ({
  type: 'progress',
  progress: { ...exporting(done, ['transferring', 'transferring']), time },
});

/** In the queue of conversions. */
export const waits = (position: number): ViewEvent => state({ status: 'exported', queue_position: position });
