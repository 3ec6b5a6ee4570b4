import { randomBytes } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { takeTraceId } from '../entry.js';

/** Random ids; the root of a trace that a caller named without recording it gets the caller's id. */
export const continuedIds: IdGenerator = {
  generateTraceId: () => takeTraceId() ?? randomBytes(16).toString('hex'),
  generateSpanId: () => randomBytes(8).toString('hex'),
};
