import { UsageError } from './errors.js';

const SECOND = 1_000;
const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const SPAN = /^(?:\d+[smhdw])+$/i;
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:?\d{2})$/;
const LOCAL = /^(?:(\d{4})-(\d{2})-(\d{2})[ Tt]|(today|tomorrow)\s+)?(\d{1,2}):(\d{2})$/i;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

const AT = '22:00, "tomorrow 22:00", +2h, "2026-01-17 22:00" (local time), or 2026-01-17T22:00:00+01:00';
const SINCE = '24h, 7d (ago), 2026-01-17, "2026-01-17 22:00" (local time), or 2026-01-17T22:00:00+01:00';

/**
 * A time to come: RFC 3339, or local time: `22:00` is the next one, `tomorrow 22:00`, `2026-01-17 22:00`; `+2h` is from now.
 * @throws UsageError naming the flag
 */
export function parseAt(text: string, flag: string, now: Date): Date {
  const word = text.trim();
  const at = word.startsWith('+') ? later(word.slice(1), now) : absolute(word, now);
  if (at === undefined) throw new UsageError(`${flag}: "${text}" is no time`, AT);
  if (at.getTime() <= now.getTime()) throw new UsageError(`${flag}: ${fullTime(at, now)} is past`, AT);
  return at;
}

/** A time that was: RFC 3339, a day or local time, or how long ago (`24h`, `7d`). @throws UsageError naming the flag */
export function parseSince(text: string, flag: string, now: Date): Date {
  const word = text.trim();
  const span = spanOf(word);
  if (span !== undefined) return new Date(now.getTime() - span);
  const [, year, month, day] = DAY.exec(word) ?? [];
  const at = year === undefined ? absolute(word, now) : local(Number(year), Number(month), Number(day), 0, 0);
  if (at === undefined) throw new UsageError(`${flag}: "${text}" is no time`, SINCE);
  // `22:00` in the evening of today is the one that was.
  if (at.getTime() > now.getTime() && /^\d{1,2}:/.test(word)) at.setDate(at.getDate() - 1);
  return at;
}

/** Days of `90d` or `12w`, or of a bare number. @throws UsageError naming the flag */
export function parseDays(text: string, flag: string): number {
  const [, number, unit = 'd'] = /^(\d{1,5})([dw]?)$/i.exec(text.trim()) ?? [];
  if (number === undefined) throw new UsageError(`${flag}: "${text}" is no number of days`, 'for example 90d');
  return Number(number) * (unit.toLowerCase() === 'w' ? 7 : 1);
}

/** `Sat 2026-01-17 22:00 Europe/Berlin (21:00 UTC), in 5 h 12 min` */
export function fullTime(at: Date, now: Date): string {
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const utc = at.toISOString().replace(/:\d{2}\.\d+Z$/, '');
  const local = localTime(at);
  const other =
    zone === 'UTC' ? '' : ` (${utc.slice(0, 10) === local.slice(4, 14) ? utc.slice(11) : utc.replace('T', ' ')} UTC)`;
  const left = at.getTime() - now.getTime();
  return `${local} ${zone}${other}${left > 0 ? `, in ${spanWord(left)}` : ''}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `Sat 2026-01-17 22:00`, local. */
export function localTime(at: Date): string {
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][at.getDay()];
  return `${day} ${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `5 h 12 min`, `3 d 2 h`, `40 s` */
export function spanWord(ms: number): string {
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  if (days > 0) return `${days} d${hours === 0 ? '' : ` ${hours} h`}`;
  if (hours > 0) return `${hours} h${rest === 0 ? '' : ` ${rest} min`}`;
  return `${rest} min`;
}

function later(text: string, now: Date): Date | undefined {
  const span = spanOf(text);
  return span === undefined ? undefined : new Date(now.getTime() + span);
}

/** Milliseconds of `2h`, `1h30m`, `7d`. */
function spanOf(text: string): number | undefined {
  if (!SPAN.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit = 's'] of text.matchAll(/(\d+)([smhdw])/gi))
    sum += Number(number) * (UNITS[unit.toLowerCase()] ?? 0);
  return sum <= 3_650 * (UNITS['d'] ?? 0) ? sum : undefined;
}

function absolute(text: string, now: Date): Date | undefined {
  if (RFC3339.test(text)) {
    const at = new Date(text.replace(' ', 'T').replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
    return Number.isNaN(at.getTime()) ? undefined : at;
  }
  const [, year, month, day, word, hour, minute] = LOCAL.exec(text) ?? [];
  if (hour === undefined || minute === undefined) return undefined;
  if (year !== undefined) return local(Number(year), Number(month), Number(day), Number(hour), Number(minute));
  const [y, m, d] = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const today = local(y, m, d, Number(hour), Number(minute));
  if (today === undefined || word?.toLowerCase() === 'today') return today;
  const next = word !== undefined || today.getTime() <= now.getTime();
  return next ? new Date(y, m - 1, d + 1, Number(hour), Number(minute)) : today;
}

/** Undefined where there is no such day or hour: a Date would take 31 February for March. */
function local(year: number, month: number, day: number, hour: number, minute: number): Date | undefined {
  const at = new Date(year, month - 1, day);
  if (at.getMonth() !== month - 1 || at.getDate() !== day || hour > 23 || minute > 59) return undefined;
  return new Date(year, month - 1, day, hour, minute);
}
