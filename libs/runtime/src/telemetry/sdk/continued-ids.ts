import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace';
import { takeTraceId } from '../entry.js';

// Not from the kernel's random source, which takes longer than the rest of a span.
const random = new RandomIdGenerator();

/** Random ids; the root of a trace that a caller named without recording it gets the caller's id. */
export const continuedIds: IdGenerator = {
  generateTraceId: () => takeTraceId() ?? random.generateTraceId(),
  generateSpanId: () => random.generateSpanId(),
};
