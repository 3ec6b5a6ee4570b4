import { describe, expect, it } from 'vitest';
import { reportLines } from '../src/lib/verify-report.js';
import { painter } from '../src/lib/width.js';
import { verified } from '../../test/support/cli-samples.js';

const OUTPUT = '/var/lib/hyper2kvm/output/2026-01-17/production-db';
const lines = (change: ReturnType<typeof verified>['report']): string[] =>
  change === null ? [] : reportLines(change, painter(false));

describe('the result of a verification', () => {
  it('names each file that is as recorded', () => {
    expect(lines(verified(null).report)).toEqual([
      '✅ 2 files: all as recorded (3m 32s)',
      `   ✅ ${OUTPUT}/disk1.qcow2: 1360 segments identical`,
      `   ✅ ${OUTPUT}/disk2.qcow2: 1 segment identical`,
    ]);
  });

  it('names the first segment that differs, with its bytes', () => {
    expect(lines(verified(17).report)).toEqual([
      '❌ 1 of 2 files not as recorded (3m 32s)',
      `   ❌ ${OUTPUT}/disk1.qcow2: differs first in segment 17 of 1360: bytes 1073741824 to 1140850687 of the disk`,
      `   ✅ ${OUTPUT}/disk2.qcow2: 1 segment identical`,
    ]);
    expect(lines(verified(1).report)[1]).toContain('bytes 0 to 67108863 of');
    expect(lines(verified(1360).report)[1]).toContain('bytes 91200946176 to the end of');
  });

  it('says why a file could not be read', () => {
    const { report } = verified(null);
    if (report === null) throw new Error('no report');
    const file = { file: '/a.qcow2', segments: 0, first_difference: null, problem: 'it is not there' };
    expect(lines({ ...report, identical: false, files: [file] })).toEqual([
      '❌ 1 of 1 file not as recorded (3m 32s)',
      '   ❌ /a.qcow2: it is not there',
    ]);
  });
});
