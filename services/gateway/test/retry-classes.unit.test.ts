import { ErrorCode, ERRORS } from '@hyper2kvm/contracts';
import { expect, it } from 'vitest';
import { classify, codesOf, PHRASES, problemOf, problemOfRetryable } from '../src/jobs/retry-classes.js';
import { RetryPolicyConfig } from '../src/config.js';
import { failure } from './facts.js';

const of = (code: ErrorCode, retryable = ERRORS[code].retryable) => failure({ code, retryable });

it('goes by what the failure says where nothing is configured, but for a full disk', () => {
  const retryable = classify({});
  for (const code of ErrorCode.options) {
    for (const own of [true, false]) expect(retryable(of(code, own)), code).toBe(own && code !== 'DISK_FULL');
  }
});

it('takes codes and phrases, in any case', () => {
  const retryable = classify({ retryable_errors: ['vm NOT found', 'libvirt'], permanent_errors: ['export_transfer'] });
  expect(retryable(of('VM_NOT_FOUND'))).toBe(true);
  expect(retryable(of('LIBVIRT'))).toBe(true);
  expect(retryable(of('EXPORT_TRANSFER'))).toBe(false);
  expect(retryable(of('EXPORT_LEASE'))).toBe(true);
  expect(retryable(of('VCENTER_LOGIN'))).toBe(false);
});

it('lets permanent win over retryable, and that over the failure', () => {
  const lists = { retryable_errors: ['VCENTER_BUSY', 'VM_UNSUPPORTED'], permanent_errors: ['temporary failure'] };
  const retryable = classify(lists);
  expect(retryable(of('VCENTER_BUSY', true))).toBe(false);
  expect(retryable(of('VM_UNSUPPORTED', false))).toBe(true);
});

it('knows every phrase of the former configuration', () => {
  const seed = ['connection timeout', 'network unreachable', 'temporary failure'];
  const permanent = ['VM not found', 'authentication failed', 'insufficient permissions'];
  for (const phrase of [...seed, ...permanent]) expect(codesOf(phrase)?.length, phrase).toBeGreaterThan(0);
  for (const phrase of seed) for (const code of codesOf(phrase) ?? []) expect(ERRORS[code].retryable, code).toBe(true);
  for (const phrase of permanent)
    for (const code of codesOf(phrase) ?? []) expect(ERRORS[code].retryable, code).toBe(false);
});

it('refuses what it does not know, naming what it knows, and a full disk as retryable', () => {
  expect(problemOf('connection tiemout')).toContain('"connection timeout"');
  expect(problemOf('connection tiemout')).toContain('VCENTER_UNREACHABLE');
  expect(problemOf('constructor')).toBeDefined();
  expect(problemOf('DISK_FULL')).toBeUndefined();
  expect(problemOfRetryable('disk_full')).toContain('DISK_FULL');
  for (const phrase of PHRASES.keys()) expect(problemOfRetryable(phrase)).toBeUndefined();
  const bad = RetryPolicyConfig.safeParse({ permanent_errors: ['VM not found', 'nonsense'] });
  expect(bad.error?.issues[0]).toMatchObject({
    path: ['permanent_errors', 1],
    message: expect.stringContaining('"nonsense" is not known'),
  });
  expect(RetryPolicyConfig.safeParse({ retryable_errors: ['DISK_FULL'] }).success).toBe(false);
});
