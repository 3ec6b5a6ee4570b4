import { UsageError } from './errors.js';

const DECIMAL: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const BINARY: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

const MIB = 2 ** 20;

/** The smallest limit that the gateway takes: below it a transfer would look like a stalled one. */
const LEAST_RATE = 65_536;

/**
 * Bytes a second: `200M` and `200MB/s` are 200,000,000, `200Mi` is 209,715,200. A small `b` would mean bits, and is refused.
 * @throws UsageError naming the flag
 */
export function parseRate(text: string, flag: string): number {
  const [, number, unit = '', binary] = /^(\d+(?:\.\d+)?) ?(?:([KMGTkmgt])(i?))?(?:B?\/s|B)?$/.exec(text.trim()) ?? [];
  if (number === undefined)
    throw new UsageError(`${flag}: "${text}" is no rate`, 'bytes a second, for example 200M, 1.5G or 500Ki');
  const bytes = Math.round(Number(number) * scale(unit, binary === 'i' ? BINARY : DECIMAL));
  if (bytes < LEAST_RATE)
    throw new UsageError(`${flag}: ${text} is ${bytes} bytes a second`, 'at least 64Ki; did you mean 200M?');
  return bounded(bytes, text, flag);
}

/**
 * Bytes of a guest's memory, which is counted in powers of two whatever the unit is called: `4G` is 4 GiB. A number without a
 * unit is refused: some tools mean MiB by it, others bytes. Whole MiB come out.
 * @throws UsageError naming the flag
 */
export function parseMemory(text: string, flag: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([MGTmgt])(?:i?B?)$/.exec(text.trim()) ?? [];
  if (number === undefined || unit === undefined)
    throw new UsageError(`${flag}: "${text}" is no size of memory`, 'a number and a unit, for example 4G or 1536M');
  const whole = Math.round((Number(number) * scale(unit, BINARY)) / MIB);
  if (whole < 1) throw new UsageError(`${flag}: ${text} is less than 1M`, 'for example 4G or 1536M');
  return bounded(whole * MIB, text, flag);
}

const scale = (unit: string, table: Readonly<Record<string, number>>): number => table[unit.toLowerCase()] ?? 1;

function bounded(bytes: number, text: string, flag: string): number {
  if (bytes <= Number.MAX_SAFE_INTEGER) return bytes;
  throw new UsageError(`${flag}: ${text} is too much`);
}
