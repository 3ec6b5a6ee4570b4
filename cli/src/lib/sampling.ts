/** Groups of the trace id, each a number of 32 bits. */
const GROUP = /[0-9a-f]{8}/g;
const ALL = 2 ** 32;

/**
 * Whether this trace is one of those that are recorded, by OpenTelemetry's variables. By the trace's id, in the way of its SDK for
 * JavaScript: services with the same ratio decide the same.
 * https://opentelemetry.io/docs/specs/otel/trace/sdk/#traceidratiobased
 */
export function isSampled(traceId: string, env: NodeJS.ProcessEnv): boolean {
  // A command has no parent: what is based on one is as its root.
  switch ((env['OTEL_TRACES_SAMPLER'] ?? '').replace(/^parentbased_/, '')) {
    case 'always_off':
      return false;
    case 'traceidratio':
      return isBelow(traceId, Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1));
    default:
      return true;
  }
}

function isBelow(traceId: string, ratio: number): boolean {
  if (!(ratio < 1)) return true;
  const folded = (traceId.match(GROUP) ?? []).reduce((sum, group) => (sum ^ Number.parseInt(group, 16)) >>> 0, 0);
  return folded < Math.floor(Math.max(0, ratio) * (ALL - 1));
}
