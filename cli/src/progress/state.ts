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
  | { readonly kind: 'started'; readonly jobId: string; readonly vm: string; readonly exportOnly: boolean }
  | { readonly kind: 'connected'; readonly origin: Origin }
  | { readonly kind: 'found'; readonly vm: string; readonly disks: number; readonly bytes: number }
  | { readonly kind: 'phase'; readonly number: 1 | 2 | 3 | 4 | 5; readonly title: string }
  | { readonly kind: 'waiting'; readonly queue: 'export' | 'conversion'; readonly position: number | null }
  /** Why the gateway does not let the job into the queue yet. */
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'export started' }
  | {
      readonly kind: 'disk';
      readonly disk: DiskProgress;
      readonly total: number;
      readonly seconds: number | null;
      readonly local: boolean;
    }
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
  /** When its first byte was seen; null while it waits. */
  readonly startedAt: number | null;
  /** Of the last seconds: what rate and ETA are made from. */
  readonly samples: readonly { readonly at: number; readonly bytes: number }[];
}

export type Stage =
  'connecting' | 'waiting for export' | 'exporting' | 'waiting for conversion' | 'converting' | 'cleaning' | 'ended';

/** All that is needed to draw the state of a job; made by `reduce` alone. */
export interface Model {
  readonly stage: Stage;
  readonly jobId: string;
  readonly vm: string;
  readonly origin: Origin;
  readonly happened: readonly { readonly at: number; readonly what: Happened }[];
  readonly disks: readonly DiskView[];
  readonly attempt: number;
  readonly queuePosition: number | null;
  readonly step: { readonly name: ConversionStep; readonly since: number } | null;
  readonly steps: { readonly done: number; readonly total: number } | null;
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
  disks: [],
  attempt: 0,
  queuePosition: null,
  step: null,
  steps: null,
  job: null,
  lost: false,
  since: null,
};
