import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/lib/errors.js';
import { parseMemory, parseRate } from '../src/lib/units.js';

describe('a rate', () => {
  it.each([
    ['200M', 200_000_000],
    ['200MB/s', 200_000_000],
    ['1.5G', 1_500_000_000],
    ['500k', 500_000],
    ['64Ki', 65_536],
    ['200Mi', 209_715_200],
    ['1GiB', 1_073_741_824],
    ['125000000', 125_000_000],
    [' 2 G ', 2_000_000_000],
  ])('%s is %i bytes a second', (text, bytes) => expect(parseRate(text, '--bandwidth')).toBe(bytes));

  it.each(['', 'fast', '-5M', '200Mb', '200Mbit/s', '200 M 3', '1e9', 'M', '64', '65535', '9999999T'])(
    'is not "%s"',
    (text) => {
      expect(() => parseRate(text, '--bandwidth')).toThrow(UsageError);
      expect(() => parseRate(text, '--bandwidth')).toThrow(/^--bandwidth: /);
    },
  );
});

describe('a size of memory', () => {
  it.each([
    ['4G', 4_294_967_296],
    ['4GiB', 4_294_967_296],
    ['1536M', 1_610_612_736],
    ['0.5g', 536_870_912],
    ['1.1M', 1_048_576],
  ])('%s is %i bytes', (text, bytes) => expect(parseMemory(text, '--memory')).toBe(bytes));

  it.each(['4096', '4K', '', '-1G', '0.1M', '4Gb', '99999999999T'])('is not "%s"', (text) => {
    expect(() => parseMemory(text, '--memory')).toThrow(/^--memory: /);
  });
});
