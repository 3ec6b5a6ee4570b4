import {
  conversionWord,
  CONVERSION_STEPS,
  durationWord,
  exportWord,
  JOB_STATUSES,
  STEP_WORDS,
  stepsOf,
} from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';

describe('durationWord', () => {
  it.each([
    [0, '0s'],
    [-3, '0s'],
    [0.4, '0s'],
    [59.4, '59s'],
    [59.6, '1m 0s'],
    [445, '7m 25s'],
    [777, '12m 57s'],
    [3599.7, '1h 0m'],
    [3661, '1h 1m'],
    [100 * 3600 + 59 * 60 + 59, '100h 59m'],
  ])('%d seconds are %s', (seconds, word) => expect(durationWord(seconds)).toBe(word));
});

describe('exportWord', () => {
  it.each([
    ['pending', false, 'queued'],
    ['exporting', false, 'in_progress'],
    ['exported', true, 'completed'],
    ['converting', true, 'completed'],
    ['completed', true, 'completed'],
    ['failed', false, 'failed'],
    ['failed', true, 'completed'],
    ['cancelled', false, 'cancelled'],
    ['cancelled', true, 'completed'],
  ] as const)('%s, exported: %s → %s', (status, exported, word) => expect(exportWord(status, exported)).toBe(word));

  it('a job whose status says so counts as exported, whatever the flag', () => {
    for (const status of ['exported', 'converting', 'completed'] as const) {
      expect(exportWord(status, false)).toBe('completed');
    }
  });
});

describe('conversionWord', () => {
  it.each([
    ['pending', false, 'waiting'],
    ['exporting', false, 'waiting'],
    ['exported', true, 'queued'],
    ['converting', true, 'in_progress'],
    ['completed', true, 'completed'],
    ['failed', false, 'waiting'],
    ['failed', true, 'failed'],
    ['cancelled', false, 'waiting'],
    ['cancelled', true, 'cancelled'],
  ] as const)('%s, exported: %s → %s', (status, exported, word) => expect(conversionWord(status, exported)).toBe(word));

  it('export and conversion never both claim the failure', () => {
    for (const status of JOB_STATUSES) {
      for (const exported of [true, false]) {
        const both = [exportWord(status, exported), conversionWord(status, exported)];
        expect(both.filter((word) => word === 'failed').length).toBeLessThan(2);
      }
    }
  });
});

describe('steps', () => {
  const all = { fix_fstab: true, fix_network: true, fix_grub: true, verify_boot: true, to_libvirt: true };

  it('every step has a word of its own', () => {
    const words = CONVERSION_STEPS.map((step) => STEP_WORDS[step]);
    expect(new Set(words).size).toBe(CONVERSION_STEPS.length);
    expect(STEP_WORDS.initramfs).toBe('injecting_virtio_drivers');
  });

  it('all of them, in order, when everything is asked for', () => expect(stepsOf(all)).toEqual([...CONVERSION_STEPS]));

  it.each([
    ['fix_fstab', 'fstab'],
    ['fix_network', 'network'],
    ['fix_grub', 'bootloader'],
    ['verify_boot', 'proof'],
    ['to_libvirt', 'define'],
  ] as const)('%s: false leaves out %s alone', (option, step) => {
    expect(stepsOf({ ...all, [option]: false })).toEqual(CONVERSION_STEPS.filter((other) => other !== step));
  });
});
