import { MismatchError } from '@hyper2kvm/runtime/content';
import { ConnectError, HttpProtocolError, StalledError, TlsTrustError } from '../net/index.js';
import { VmdkError } from '../vmdk/index.js';
import { TransferError } from './errors.js';
import type { TransferFailure } from './messages.js';

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT']);

/** What an error within a transfer means to the job. */
export function toFailure(error: unknown): TransferFailure {
  if (error instanceof TransferError) return { code: error.code, message: error.message };
  if (error instanceof VmdkError) {
    if (error.problem === 'empty') return { code: 'EXPORT_TRANSFER', message: 'the server sent an empty answer' };
    return { code: 'EXPORT_CORRUPT', message: error.message };
  }
  if (error instanceof MismatchError) return { code: 'EXPORT_MISMATCH', message: error.message };
  if (error instanceof TlsTrustError)
    return { code: 'VCENTER_TLS', message: `${error.message}; its SHA-256 fingerprint is ${error.fingerprint}` };
  if (error instanceof ConnectError || error instanceof HttpProtocolError || error instanceof StalledError)
    return { code: 'EXPORT_TRANSFER', message: error.message };
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: '', message: '' };
  if (DISK_FULL.has(code ?? '')) return { code: 'DISK_FULL', message };
  return { code: 'INTERNAL', message: message || String(error) };
}
