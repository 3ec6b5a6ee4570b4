import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../../lib/errors.js';
import { parseLine, type LogLine, type LogQuery } from './line.js';
import { Follower, lastLines, type Position } from './tail.js';

const POLL_MS = 200;

export interface LogSource {
  readonly service: string;
  readonly path: string;
}

/** The last lines of all files together, by time, then what is written to them. @throws CliError */
export async function* fileLogs(sources: readonly LogSource[], query: LogQuery): AsyncGenerator<LogLine> {
  const { tail, since, follow, signal } = query;
  const ends = new Map<LogSource, Position | undefined>();
  const found: LogLine[] = [];
  for (const source of sources) {
    const { lines, end } = readable(source, () => lastOf(source, tail, since));
    ends.set(source, end);
    found.push(...lines);
  }
  const wanted = since === undefined ? found : found.filter(({ time }) => time !== undefined && time >= since);
  yield* byTime(wanted).slice(-tail);
  if (!follow) return;
  const followers = sources.map((source) => ({
    source,
    follower: new Follower(source.path, ends.get(source)),
    last: undefined as Date | undefined,
  }));
  try {
    while (!signal.aborted) {
      yield* byTime(
        followers.flatMap((one) => {
          const lines = dated(one.source.service, one.follower.lines(), one.last);
          one.last = lines.at(-1)?.time ?? one.last;
          return lines;
        }),
      );
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    for (const { follower } of followers) follower.close();
  }
}

function lastOf({ service, path }: LogSource, tail: number, since: Date | undefined) {
  const isOld = (line: string): boolean => {
    const { time } = parseLine(service, line);
    return since !== undefined && time !== undefined && time < since;
  };
  const now = lastLines(path, tail, isOld);
  // Begun anew a moment ago: the rest lies in the file that was moved aside.
  const more = now.whole && now.lines.length < tail && !now.lines.slice(0, 1).some(isOld);
  const before = more ? lastLines(`${path}.1`, tail - now.lines.length, isOld).lines : [];
  return { lines: dated(service, [...before, ...now.lines], undefined), end: now.end };
}

/** A line without a time of its own bears that of the line before it. */
function dated(service: string, lines: readonly string[], before: Date | undefined): LogLine[] {
  let last = before;
  return lines.map((raw) => {
    const line = parseLine(service, raw);
    last = line.time ?? last;
    return { ...line, time: last };
  });
}

const byTime = (lines: readonly LogLine[]): LogLine[] =>
  lines.toSorted((a, b) => (a.time?.getTime() ?? 0) - (b.time?.getTime() ?? 0));

function readable<T>({ service, path }: LogSource, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(`the log of ${service} cannot be read: ${message}`, {
      advice: code === 'EACCES' ? `it is another user's: sudo hyperctl daemon logs ${service}` : `look at ${path}`,
    });
  }
}
