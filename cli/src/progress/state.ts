import type {
  CleanupState,
  ConversionStep,
  ConvertAccepted,
  DiskProgress,
  Failure,
  JobDetail,
  JobLog,
  JobProgress,
} from '@hyper2kvm/contracts';
import type { Origin } from '../lib/origin.js';

/** Something that happened once and stays true: the lines that scroll away above the moving part. Times in ms since 1970. */
export type Happened =
  | {
      readonly kind: 'started';
      readonly jobId: string;
      readonly vm: string;
      readonly exportOnly: boolean;
      /** It had begun before we came. */
      readonly joined: boolean;
    }
  | { readonly kind: 'connected'; readonly origin: Origin }
  | { readonly kind: 'found'; readonly vm: string; readonly disks: number; readonly bytes: number }
  | { readonly kind: 'phase'; readonly number: 1 | 2 | 3 | 4 | 5; readonly title: string }
  | {
      readonly kind: 'waiting';
      readonly queue: 'export' | 'conversion';
      readonly position: number;
      /** The first that is said of this queue. */
      readonly first: boolean;
    }
  /** Why the gateway does not let the job into the queue yet. */
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'export started' }
  | {
      readonly kind: 'disk';
      readonly disk: DiskProgress;
      readonly total: number;
      readonly seconds: number | null;
      readonly local: boolean;
      /** Of this attempt. */
      readonly first: boolean;
    }
  /** What was under way when an attempt came to nothing. */
  | { readonly kind: 'disk stopped'; readonly disk: DiskProgress; readonly total: number }
  | { readonly kind: 'step stopped'; readonly step: ConversionStep; readonly seconds: number }
  | { readonly kind: 'exported'; readonly seconds: number | null; readonly bytes: number; readonly local: boolean }
  | { readonly kind: 'conversion started' }
  | { readonly kind: 'step'; readonly step: ConversionStep; readonly seconds: number }
  | { readonly kind: 'resumed'; readonly done: number; readonly total: number }
  | { readonly kind: 'log'; readonly log: JobLog }
  | { readonly kind: 'converted'; readonly seconds: number | null }
  | { readonly kind: 'cleaned' }
  | { readonly kind: 'not cleaned'; readonly cleanup: CleanupState }
  | { readonly kind: 'retry'; readonly failure: Failure | null; readonly at: string; readonly count: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'restored' };

export interface DiskView extends DiskProgress {
  /** When it began; null while it waits, `unknown` where it was under way before we came. */
  readonly startedAt: number | 'unknown' | null;
  /** Of the last seconds: what rate and ETA are made from. */
  readonly samples: readonly { readonly at: number; readonly bytes: number }[];
}

export type Stage =
  'connecting' | 'waiting for export' | 'exporting' | 'waiting for conversion' | 'converting' | 'cleaning' | 'ended';

/** All that is needed to draw the state of a job; made by `reduce` and `told` alone. */
export interface Model {
  readonly stage: Stage;
  readonly jobId: string;
  readonly vm: string;
  readonly origin: Origin;
  /** What was not told yet. */
  readonly happened: readonly { readonly at: number; readonly what: Happened }[];
  /** Something was said of the job, if not told yet. */
  readonly started: boolean;
  readonly disks: readonly DiskView[];
  readonly attempt: number;
  readonly queuePosition: number | null;
  /** The first and the last position in this queue that was said. */
  readonly firstPosition: number | null;
  readonly saidPosition: number | null;
  readonly step: { readonly name: ConversionStep; readonly since: number } | null;
  readonly steps: { readonly done: number; readonly total: number; readonly percent: number } | null;
  /** How much later it was here than at the worker when its last progress came, in ms: clocks differ. */
  readonly behind: number;
  readonly job: JobDetail | null;
  readonly lost: boolean;
  /** RFC 3339; older log lines were before we came. */
  readonly since: string | null;
}

export type ViewEvent =
  | {
      readonly type: 'accepted';
      readonly accepted: ConvertAccepted;
      readonly origin: Origin;
      /** The job is to rest when its disks are there. */
      readonly exportOnly?: boolean;
    }
  | { readonly type: 'job' | 'end'; readonly job: JobDetail }
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | { readonly type: 'log'; readonly log: JobLog }
  | { readonly type: 'connection'; readonly state: 'lost' | 'restored' };

export const EMPTY: Model = {
  stage: 'connecting',
  jobId: '',
  vm: '',
  origin: { local: false, label: '' },
  happened: [],
  started: false,
  disks: [],
  attempt: 0,
  queuePosition: null,
  firstPosition: null,
  saidPosition: null,
  step: null,
  steps: null,
  behind: 0,
  job: null,
  lost: false,
  since: null,
};

/** Once all that happened was shown nobody asks for it again: a log may have a hundred thousand lines. */
export const told = (model: Model): Model => (model.happened.length === 0 ? model : { ...model, happened: [] });

/** Adds what happened at a time. */
export const add = (model: Model, at: number, ...what: Happened[]): Model => ({
  ...model,
  started: true,
  happened: [...model.happened, ...what.map((item) => ({ at, what: item }))],
});
