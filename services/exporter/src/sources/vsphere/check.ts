import type { z } from 'zod';
import type { checkVcenter } from '@hyper2kvm/contracts';
import { toJobError, VimFault } from './faults.js';
import { findDatacenter } from './inventory.js';
import { NEEDED_PRIVILEGES } from './privileges.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { child, flag, list, text, toSoap, type Ref } from './values.js';

export type VcenterCheck = z.output<typeof checkVcenter.reply>;

/**
 * What this vCenter is, and which of the privileges that migrations need the login holds: at the session's datacenter where one
 * is set, else at the root folder, from where a permission reaches everything beneath it.
 * @throws JobError VM_NOT_FOUND when the datacenter is not there; VCENTER_…
 */
export async function checkLogin(session: VimSession, options: CallOptions = {}): Promise<VcenterCheck> {
  const { about } = session.service;
  try {
    const { datacenter } = session.endpoint;
    const where =
      datacenter === undefined ? session.service.rootFolder : await findDatacenter(session, datacenter, options);
    const held = await heldAt(session, where, options);
    return {
      product: about.fullName,
      api_version: about.apiVersion,
      ...(about.instanceUuid === undefined ? {} : { instance_uuid: about.instanceUuid }),
      privileges:
        typeof held === 'string'
          ? []
          : NEEDED_PRIVILEGES.map(({ privilege, neededFor, required }) => ({
              privilege,
              needed_for: neededFor,
              required,
              held: held.has(privilege),
            })),
      ...(typeof held === 'string' ? { unchecked: held } : {}),
    };
  } catch (error) {
    throw toJobError(error, session.server, 'a look at the privileges');
  }
}

/** The privileges held there; or why vCenter does not tell. An old server knows one of the two questions, a bare ESXi none. */
async function heldAt(session: VimSession, where: Ref, options: CallOptions): Promise<ReadonlySet<string> | string> {
  const { authorizationManager: manager } = session.service;
  const { sessionId, userName } = session.user;
  if (manager === undefined) return 'the server has no AuthorizationManager';
  try {
    if (sessionId === undefined) throw new VimFault('NotSupported', 'the login was not answered with a session');
    return await bySession(session, manager, where, sessionId, options);
  } catch (error) {
    if (!(error instanceof VimFault) || userName === undefined) return reasonOf(error);
  }
  try {
    return await byUser(session, manager, where, userName, options);
  } catch (error) {
    return reasonOf(error);
  }
}

/** @throws the error again where it is not vCenter's refusal of the question */
function reasonOf(error: unknown): string {
  if (error instanceof VimFault) return `vCenter does not tell which privileges are held (${error.message})`;
  throw error;
}

async function bySession(
  session: VimSession,
  manager: Ref,
  where: Ref,
  sessionId: string,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  const privId = NEEDED_PRIVILEGES.map(({ privilege }) => privilege);
  const answer = await session.call(
    'HasPrivilegeOnEntities',
    manager,
    { entity: [toSoap(where)], sessionId, privId },
    options,
  );
  const availability = list(answer).flatMap((entity) => list(child(entity, 'privAvailability')));
  return new Set(availability.filter((one) => flag(one, 'isGranted')).map((one) => text(one, 'privId') ?? ''));
}

async function byUser(
  session: VimSession,
  manager: Ref,
  where: Ref,
  userName: string,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  const answer = await session.call(
    'FetchUserPrivilegeOnEntities',
    manager,
    { entities: [toSoap(where)], userName },
    options,
  );
  return new Set(list(answer).flatMap((entity) => list(child(entity, 'privileges')).map((one) => text(one) ?? '')));
}
