import { JobError } from '@hyper2kvm/contracts';
import { IANAZone } from 'luxon';
import type { MinuteOfDay, Span, Weekday, Window } from './window.js';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const NAMES = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const EXAMPLE = 'for instance "Sat 22:00-06:00 Europe/Berlin"';

/**
 * Reads `Sat 22:00-06:00 Europe/Berlin`, `Mon-Fri 20:00-06:00 UTC`, `Sat,Sun 00:00-24:00 Europe/Berlin`,
 * `daily 22:00-06:00 Europe/Berlin`; several are separated by `;`.
 * @throws JobError BAD_REQUEST naming the part that is wrong
 */
export function parseWindow(text: string): Window {
  return { text, spans: text.split(';').map((part) => readSpan(part.trim())) };
}

function readSpan(part: string): Span {
  if (part === '') throw wrong('an empty part', `give days, times and a time zone, ${EXAMPLE}`);
  const [days = '', times, zone, ...more] = part.replaceAll(/\s*([,–-])\s*/g, '$1').split(/\s+/);
  const read = readDays(days, part);
  if (times === undefined) throw wrong(`"${part}" has no times`, EXAMPLE);
  const { from, to } = readTimes(times, part);
  if (zone === undefined)
    throw wrong(`"${part}" has no time zone`, `give one behind the times, such as Europe/Berlin or UTC`);
  if (more.length > 0) throw wrong(`"${more.join(' ')}" behind the time zone`, 'separate several windows by ";"');
  if (!IANAZone.isValidZone(zone) || /^[+-]/.test(zone))
    throw wrong(`there is no time zone "${zone}"`, 'names are those of the IANA, such as Europe/Berlin or UTC');
  return { days: read, from, to, zone };
}

function readDays(text: string, part: string): ReadonlySet<Weekday> {
  if (/^\d/.test(text))
    throw wrong(`"${part}" has no days`, 'begin with days, such as Sat, Mon-Fri, "Sat,Sun" or daily');
  if (text.toLowerCase() === 'daily') return new Set([1, 2, 3, 4, 5, 6, 7]);
  const days = new Set<Weekday>();
  for (const range of text.split(',')) {
    const ends = range.split(/[–-]/);
    if (ends.length > 2) throw wrong(`"${range}" are no days`, 'write a range as Mon-Fri');
    const [first = 1, last = first] = ends.map((name) => readDay(name));
    // Fri-Mon goes over the end of the week.
    for (let day = first; ; day = day === 7 ? 1 : ((day + 1) as Weekday)) {
      days.add(day);
      if (day === last) break;
    }
  }
  return days;
}

function readDay(name: string): Weekday {
  const word = name.toLowerCase();
  const short = DAYS.findIndex((day) => day === word);
  const index = short === -1 ? NAMES.indexOf(word) : short;
  if (index === -1) throw wrong(`"${name}" is no day`, 'days are Mon, Tue, Wed, Thu, Fri, Sat, Sun, or daily');
  return (index + 1) as Weekday;
}

function readTimes(text: string, part: string): { from: MinuteOfDay; to: MinuteOfDay } {
  const [opens, closes, ...more] = text.split(/[–-]/);
  if (opens === undefined || closes === undefined || more.length > 0)
    throw wrong(`"${text}" in "${part}" are no times`, 'write them as 22:00-06:00');
  const [from, to] = [readTime(opens), readTime(closes)];
  if (from === 1440) throw wrong(`"${opens}" cannot open a window`, 'write 00:00 of the next day');
  if (from === to) throw wrong(`"${text}" opens and closes at once`, 'a whole day is 00:00-24:00');
  return { from, to };
}

function readTime(text: string): MinuteOfDay {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  if (hours === undefined || Number(minutes) > 59 || minute > 1440)
    throw wrong(`"${text}" is no time of day`, 'times go from 00:00 to 24:00');
  return minute;
}

const wrong = (what: string, advice: string): JobError =>
  new JobError('BAD_REQUEST', `options.window: ${what}; ${advice}.`);
