import { JobError, type ErrorCode } from '@hyper2kvm/contracts';
import { countVcenterError } from '../../metrics.js';
import { ConnectError, TlsTrustError } from '../../net/index.js';
import { child, text, typeName } from './values.js';

/** A fault that vCenter answered with: its name (`InvalidLogin`) and its words. */
export class VimFault extends Error {
  override readonly name = 'VimFault';
  constructor(
    readonly fault: string,
    readonly words: string,
  ) {
    super(words === '' ? fault : `${fault}: ${words}`);
  }
}

/** vCenter did not answer in time, or with something that is no SOAP. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError';
}

/** The object was there and is not any more. */
export const isGone = (error: unknown): boolean => error instanceof VimFault && error.fault === 'ManagedObjectNotFound';

const BUSY = new Set([
  'ConcurrentAccess',
  'FileLocked',
  'HostCommunication',
  'HostNotConnected',
  'InvalidHostConnectionState',
  'ResourceInUse',
  'ResourceNotAvailable',
  'TaskInProgress',
  'Timedout',
]);
const DENIED = new Set(['NoPermission', 'RestrictedVersion', 'RestrictedByAdministrator']);

/** Somebody else holds what is needed; it passes. `InvalidState` is what a VM with a lease answers with. */
export const isBusy = (error: unknown): boolean =>
  error instanceof VimFault && (BUSY.has(error.fault) || error.fault === 'InvalidState');

/** The fault in an error of the SOAP library, or undefined. Nothing else is taken over from it: it may hold the request. */
export function faultOf(error: unknown): VimFault | undefined {
  const fault = child(error, 'root.Envelope.Body.Fault');
  if (fault === undefined) return undefined;
  const detail = child(fault, 'detail');
  const [key, value] = Object.entries((detail ?? {}) as Record<string, unknown>).find(
    ([name]) => name !== 'attributes',
  ) ?? ['', undefined];
  const name = typeName(value) ?? (key === '' ? (text(fault, 'faultcode') ?? 'Fault') : key.replace(/Fault$/, ''));
  return new VimFault(name, text(fault, 'faultstring') ?? '');
}

/** A fault within a property, such as a task's or a lease's `error`. */
export function localizedFault(node: unknown): VimFault {
  return new VimFault(typeName(child(node, 'fault')) ?? 'Fault', text(node, 'localizedMessage') ?? '');
}

function make(code: ErrorCode, message: string): JobError {
  countVcenterError(code);
  return new JobError(code, message);
}

/** What an error of a conversation with vCenter means to the user. @param doing "taking a snapshot of VM web" */
export function toJobError(error: unknown, server: string, doing: string): unknown {
  if (error instanceof JobError) return error;
  if (error instanceof VimFault) {
    if (error.fault === 'InvalidLogin') return make('VCENTER_LOGIN', `vCenter ${server} refused user name or password`);
    if (error.fault === 'NotAuthenticated')
      return make('VCENTER_BUSY', `vCenter ${server} ended the session while ${doing}`);
    if (DENIED.has(error.fault))
      return make('VCENTER_PERMISSION', `vCenter ${server} denied ${doing} (${error.message})`);
    const code = BUSY.has(error.fault) ? 'VCENTER_BUSY' : 'VCENTER_FAULT';
    return make(code, `vCenter ${server} answered ${doing} with ${error.message}`);
  }
  if (error instanceof TlsTrustError)
    return make(
      'VCENTER_TLS',
      `the certificate of vCenter ${server} is not trusted: ${error.message}; its SHA-256 fingerprint is ${error.fingerprint}`,
    );
  if (error instanceof ConnectError || error instanceof AnswerError)
    return make('VCENTER_UNREACHABLE', `vCenter ${server} cannot be reached: ${error.message}`);
  return error;
}
