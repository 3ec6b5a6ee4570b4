import { jsonText, printable } from '../../lib/format.js';
import { pad, type Paint } from '../../lib/width.js';
import { jsonOf, type LogLine } from './line.js';

const two = (value: number, width = 2): string => String(value).padStart(width, '0');

/** `2026-01-17 10:00:00.123`, local. */
const timeWord = (at: Date): string =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;

/** Time, service (where there are several), level, message, job. */
export function lineWord(line: LogLine, label: number, paint: Paint): string {
  const time = line.time === undefined ? '' : `${timeWord(line.time)} `;
  const service = label === 0 ? '' : `${pad(line.service, label)} `;
  const level = line.level === '' ? '' : `${printable(line.level).toUpperCase().padEnd(5)} `;
  const coloured = /^(error|fatal)$/.test(line.level)
    ? paint('red', level)
    : line.level === 'warn'
      ? paint('yellow', level)
      : level;
  const job = line.jobId === undefined ? '' : ` (${printable(line.jobId)})`;
  return `${time}${service}${coloured}${printable(line.message)}${job}`;
}

/** One JSON document a line: the service's own, or one made of its text. */
export function rawLine(line: LogLine): string {
  const fields = line.time === undefined ? undefined : jsonOf(line.raw);
  if (fields !== undefined)
    return jsonText(fields['service'] === undefined ? { ...fields, service: line.service } : fields);
  const { level, service, message } = line;
  return jsonText({ level: level || 'info', time: line.time?.toISOString() ?? null, service, msg: message });
}
