import { VimFault } from './faults.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';

const PREFIX = '/rest/com/vmware/cis';
const SESSION_HEADER = 'vmware-api-session-id';
const LOGOUT_TIMEOUT_MS = 10_000;

/**
 * vCenter's REST side, where tags are: SOAP does not have them. A login of its own, which lives as long as `use`.
 * @throws VimFault with the HTTP status as its words, and the errors of the connection
 */
export async function withCis<T>(
  session: VimSession,
  options: CallOptions,
  use: (ask: (method: string, path: string, body?: object) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const { username, password } = session.endpoint;
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const ask = async (
    headers: Record<string, string>,
    method: string,
    path: string,
    body?: object,
  ): Promise<unknown> => {
    const request = {
      method,
      headers: { Accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    };
    const answer = await session.json(`${PREFIX}${path}`, request, options);
    if (answer.status === 200) return (answer.body as { value?: unknown } | undefined)?.value;
    const denied = { 401: 'NotAuthenticated', 403: 'NoPermission', 404: 'NotFound' }[answer.status];
    throw new VimFault(denied ?? 'RestFault', `HTTP ${answer.status} at ${path.replace(/\?.*/, '')}`);
  };
  const id = await ask({ Authorization: basic }, 'POST', '/session').catch((error: unknown) => {
    const refused = error instanceof VimFault && error.fault === 'NotAuthenticated';
    throw refused ? new VimFault('InvalidLogin', 'at the REST side, where tags are') : error;
  });
  if (typeof id !== 'string') throw new VimFault('RestFault', 'the login for tags gave no session');
  try {
    return await use((method, path, body) => ask({ [SESSION_HEADER]: id }, method, path, body));
  } finally {
    await session
      .json(
        `${PREFIX}/session`,
        { method: 'DELETE', headers: { [SESSION_HEADER]: id } },
        { timeoutMs: LOGOUT_TIMEOUT_MS },
      )
      .catch(() => {});
  }
}
