/** A line of a service's log. */
export interface LogLine {
  readonly service: string;
  /** Undefined where the line bears none: it belongs to the one before. */
  readonly time: Date | undefined;
  readonly level: string;
  readonly message: string;
  readonly jobId: string | undefined;
  /** As the service wrote it. */
  readonly raw: string;
}

export interface LogQuery {
  /** Lines from the end, of all services together. */
  readonly tail: number;
  readonly since: Date | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

const LEVELS: Readonly<Record<string, string>> = {
  INF: 'info',
  WRN: 'warn',
  ERR: 'error',
  FTL: 'fatal',
  DBG: 'debug',
  TRC: 'trace',
  LOG: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
  PANIC: 'fatal',
};
/** `[123] 2026/01/17 10:00:00.123456 [INF] …`, in local time */
const NATS = /^\[\d+\] (\d{4})\/(\d{2})\/(\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?) \[(\w{3})\] (.*)$/s;
/** `2026-01-17 10:00:00.123 UTC [123] LOG:  …` */
const POSTGRES = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?) (\S+) \[\d+\] (\w+): {2}(.*)$/s;
/** `2026-01-17T10:00:00.123Z …`: the supervisor's own. */
const SUPERVISOR = /^(\d{4}-\d{2}-\d{2}T\S+Z) (.*)$/s;

/** Reads a line of any service: JSON of the four, or the text of NATS, PostgreSQL and the supervisor. */
export function parseLine(service: string, raw: string): LogLine {
  const base = { service, raw, jobId: undefined };
  const fields = jsonOf(raw);
  if (fields !== undefined) return { ...base, ...ofFields(fields) };
  const [, year, month, day, clock, natsLevel = '', natsText] = NATS.exec(raw) ?? [];
  if (natsText !== undefined)
    return { ...base, time: timeOf(`${year}-${month}-${day}T${clock}`), ...said(natsLevel, natsText) };
  const [, date, at, zone = '', level = '', text] = POSTGRES.exec(raw) ?? [];
  if (text !== undefined) {
    const utc = /^(UTC|GMT|Etc\/UTC)$/.test(zone) ? 'Z' : '';
    return { ...base, time: timeOf(`${date}T${at}${utc}`), ...said(level, text) };
  }
  const [, time, rest] = SUPERVISOR.exec(raw) ?? [];
  if (time !== undefined && rest !== undefined) return { ...base, time: timeOf(time), level: 'info', message: rest };
  return { ...base, time: undefined, level: '', message: raw };
}

const said = (level: string, message: string): { level: string; message: string } => ({
  level: LEVELS[level] ?? level.toLowerCase(),
  message,
});

function ofFields(fields: Record<string, unknown>): Omit<LogLine, 'service' | 'raw'> {
  const text = (key: string): string | undefined => (typeof fields[key] === 'string' ? fields[key] : undefined);
  const { err } = fields;
  const why = typeof err === 'object' && err !== null && 'message' in err ? `: ${String(err.message)}` : '';
  return {
    time: timeOf(text('time') ?? ''),
    level: text('level') ?? 'info',
    message: `${text('msg') ?? ''}${why}`,
    jobId: text('job_id') ?? text('job'),
  };
}

function timeOf(text: string): Date | undefined {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Undefined where a line is no JSON: a brace alone opens many a text. */
export function jsonOf(raw: string): Record<string, unknown> | undefined {
  if (!raw.startsWith('{')) return undefined;
  try {
    return JSON.parse(raw) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
