/** What the tests of vCenter's side share: an answer, or the refusal that was expected. */
import { describe as describeVm, VimSession, type Endpoint } from '@hyper2kvm/exporter';
import { JobError, type ErrorCode } from '@hyper2kvm/contracts';
import { expect } from 'vitest';
import type { Vcsim } from '../support/vcsim.js';
import { endpointOf } from './export-setup.js';

/** The VM as it is described to a session of its own. */
export async function ask(vcsim: Vcsim, vmName: string, change: Partial<Endpoint> = {}): ReturnType<typeof describeVm> {
  return withSession(vcsim, async (session) => describeVm(session, { vmName }), change);
}

export async function withSession<T>(
  vcsim: Vcsim,
  use: (session: VimSession) => Promise<T>,
  change: Partial<Endpoint> = {},
): Promise<T> {
  const session = await VimSession.login(endpointOf(vcsim, change));
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** The words of a JobError of this code. */
export async function failure(asked: Promise<unknown>, code: ErrorCode): Promise<string> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`);
  expect(error.code).toBe(code);
  return error.message;
}
