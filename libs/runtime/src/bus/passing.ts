import { ErrorCode as NatsCode, NatsError } from 'nats';

/** Errors of NATS that no repetition cures. */
const LASTING: readonly string[] = [
  NatsCode.MaxPayloadExceeded,
  NatsCode.ConnectionClosed,
  NatsCode.ConnectionDraining,
  NatsCode.BadSubject,
];

/** Whether a write that failed may succeed when it is repeated: NATS is away, slow or choosing a leader. */
export const isPassing = (error: unknown): boolean =>
  error instanceof NatsError ? !LASTING.includes(error.code) : error instanceof Error && error.name === 'TimeoutError';

/** Whether JetStream itself is not there (yet): no answer, not enabled, no leader. */
export const isAway = (error: unknown): boolean =>
  isPassing(error) && ((error as NatsError).api_error === undefined || (error as NatsError).api_error?.code === 503);
