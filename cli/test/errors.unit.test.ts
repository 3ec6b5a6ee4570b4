import { ERRORS } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { CliError, errorDocument, explain, GatewayProblem, GatewayUnreachable, UsageError } from '../src/lib/errors.js';
import { exitCodeOf } from '../src/lib/exit-codes.js';
import { JOB_ID } from '../../test/support/cli-samples.js';

describe('exit codes', () => {
  it.each([
    ['VM_NOT_FOUND', 4],
    ['JOB_NOT_FOUND', 4],
    ['UNAUTHENTICATED', 5],
    ['FORBIDDEN', 5],
    ['VCENTER_LOGIN', 5],
    ['VCENTER_PERMISSION', 5],
    ['PATH_DENIED', 5],
    ['BAD_REQUEST', 2],
    ['VCENTER_UNREACHABLE', 1],
    ['VM_BUSY', 1],
    ['A_CODE_OF_TOMORROW', 1],
  ])('%s → %i', (code, exit) => expect(exitCodeOf(code)).toBe(exit));

  it('are never 0 for any code of the table', () => {
    for (const code of Object.keys(ERRORS)) expect(exitCodeOf(code), code).toBeGreaterThan(0);
  });

  it('of usage and of an unreachable gateway', () => {
    expect(new UsageError('x').exitCode).toBe(2);
    expect(new GatewayUnreachable('http://x', 'y').exitCode).toBe(3);
    expect(new CliError('x').exitCode).toBe(1);
  });
});

describe('an error of the gateway', () => {
  const error = new GatewayProblem({
    type: 'about:blank',
    title: 'VM not found',
    status: 404,
    detail: 'there is no VM named productoin-db',
    code: 'VM_NOT_FOUND',
    advice: 'List what there is.',
    job_id: JOB_ID,
    trace_id: 'f'.repeat(32),
  });

  it('says what happened, why, what to try, and by which ids it is found again', () => {
    expect(explain(error)).toEqual([
      'Error: VM not found',
      '  why:   there is no VM named productoin-db',
      '  try:   List what there is.',
      `  job:   ${JOB_ID}`,
      '  code:  VM_NOT_FOUND',
      `  trace: ${'f'.repeat(32)}`,
    ]);
  });

  it('has commands with the ids that its words name, and nothing that steers a terminal', () => {
    const told = explain(
      new GatewayProblem({
        type: 'about:blank',
        title: 'the VM already has an active job',
        status: 409,
        detail: `VM web\u001b[2J\n01 has ${JOB_ID}`,
        code: 'VM_BUSY',
        advice: ERRORS.VM_BUSY.advice,
      }),
    );
    expect(told).toEqual([
      'Error: the VM already has an active job',
      `  why:   VM web[2J 01 has ${JOB_ID}`,
      `  try:   Follow it: hyperctl status --job ${JOB_ID} --follow; or end it: hyperctl cancel --job ${JOB_ID}.`,
      `  job:   ${JOB_ID}`,
      '  code:  VM_BUSY',
    ]);
  });

  it('is a document with --json', () => {
    expect(errorDocument(error)).toEqual({
      error: {
        code: 'VM_NOT_FOUND',
        message: 'VM not found',
        why: 'there is no VM named productoin-db',
        advice: 'List what there is.',
        job_id: JOB_ID,
        trace_id: 'f'.repeat(32),
      },
    });
  });
});
