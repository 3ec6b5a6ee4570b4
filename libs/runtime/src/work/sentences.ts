import { durationWord, ERRORS, type Activity, type ErrorCode } from '@hyper2kvm/contracts';

const WORDS: Record<Activity, string> = {
  export: 'Export',
  conversion: 'Conversion',
  cleanup: 'Clean-up',
  verify: 'Verification',
  import: 'Import',
  hook: 'Hook',
};

/** How long something took, for a sentence. */
export const lasted = (ms: number): string => (ms < 1000 ? 'less than 1s' : durationWord(ms / 1000));

export interface Beginning {
  readonly activity: Activity;
  readonly attempt: number;
  readonly worker: string;
  /** Counted starts of this attempt, with this one. */
  readonly starts: number;
  readonly maxStarts: number;
  /** When it was asked for, RFC 3339. */
  readonly askedAt: string;
}

/** With what a start of an attempt begins in the job's log. */
export function beganSentence(start: Beginning, now = Date.now()): string {
  const { activity, attempt, worker, starts, maxStarts } = start;
  const head = `${WORDS[activity]}, attempt ${attempt},`;
  if (starts > 1)
    return `${head} begins again on ${worker}: an earlier start of it never came to an end (start ${starts} of ${maxStarts})`;
  const waited = Math.round((now - Date.parse(start.askedAt)) / 1000);
  return `${head} begins on ${worker}${waited >= 1 ? `, ${durationWord(waited)} after it was asked for` : ''}`;
}

export const endedSentence = (activity: Activity, attempt: number, ms: number): string =>
  `${WORDS[activity]}, attempt ${attempt}, is completed after ${lasted(ms)}`;

export const cancelledSentence = (activity: Activity, attempt: number, ms: number): string =>
  `${WORDS[activity]}, attempt ${attempt}, has ended after ${lasted(ms)}: the job was cancelled`;

export const handedBackSentence = (activity: Activity, attempt: number, worker: string): string =>
  `${WORDS[activity]}, attempt ${attempt}, is handed over: ${worker} is being stopped, and the next start goes on from what is done`;

export const defectSentence = (activity: Activity, attempt: number): string =>
  `${WORDS[activity]}, attempt ${attempt}, met an unexpected error and is started again; the log of the service has it`;

export const adviceSentence = (code: ErrorCode): string => `What to try: ${ERRORS[code].advice}`;
