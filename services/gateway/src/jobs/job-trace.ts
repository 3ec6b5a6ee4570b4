import {
  contextFrom,
  freshTraceparent,
  markSpan,
  ROOT_CONTEXT,
  traceId,
  traceIdOf,
  traceparent,
} from '@hyper2kvm/runtime';

interface Trace {
  readonly traceparent?: string;
}

/**
 * Where messages of a job belong that are decided on elsewhere (a request of its own, a loop): a span in the job's trace, linked
 * to what led to it. Nothing where the job's trace is the active one.
 * @param event as the timeline calls it: `request.retry`
 */
export function inTraceOf(job: { readonly id: string; readonly traceparent: string | null }, event = 'change'): Trace {
  const own = traceIdOf(job.traceparent);
  if (own === undefined || own === traceId()) return {};
  const mark = markSpan(
    `job ${event.replace(/^request\./, '')}`,
    { 'job.id': job.id },
    { parent: contextFrom(job.traceparent), links: [traceparent()] },
  );
  return mark === undefined ? {} : { traceparent: mark };
}

/** A trace for one job of many that were asked for at once: its root is linked to that request. */
export const traceOfOne = (jobId: string, batchId: string): string =>
  markSpan('job', { 'job.id': jobId, 'batch.id': batchId }, { parent: ROOT_CONTEXT, links: [traceparent()] }) ??
  freshTraceparent();

/** A message's place in the trace of its job or batch, unless that is the active one. */
export const messageTrace = (stored: string | null | undefined): Trace => {
  const own = traceIdOf(stored);
  return own === undefined || own === traceId() || stored === null || stored === undefined
    ? {}
    : { traceparent: stored };
};
