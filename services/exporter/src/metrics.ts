import { ERRORS, type ErrorCode } from '@hyper2kvm/contracts';
import { counter } from '@hyper2kvm/runtime';
import type { TransportName } from './sources/index.js';

const TRANSPORTS: readonly TransportName[] = ['nfc', 'datastore', 'file'];
/** What a conversation with a vCenter may end with. */
const VCENTER_CODES = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => code.startsWith('VCENTER_'));

const bytes = counter<'transport'>(
  'hyper2kvm_transfer_bytes_total',
  'Bytes received from sources, as they come: also of disks that fail later',
  { transport: TRANSPORTS },
);
const disks = counter<'transport' | 'status'>('hyper2kvm_disks_total', 'Disks that were brought, or given up', {
  transport: TRANSPORTS,
  status: ['success', 'failed'],
});
const retries = counter<'transport'>('hyper2kvm_transfer_retries_total', 'Transfers of a disk that were begun again', {
  transport: TRANSPORTS,
});
const vcenterErrors = counter<'code'>('hyper2kvm_vcenter_errors_total', 'Conversations with a vCenter that failed', {
  code: VCENTER_CODES,
});

/** @returns takes how many bytes of one transfer came so far; counts those that it has not counted */
export function bytesMeter(transport: TransportName): (soFar: number) => void {
  let counted = 0;
  return (soFar) => {
    if (soFar <= counted) return;
    bytes.inc({ transport }, soFar - counted);
    counted = soFar;
  };
}

export const countDisk = (transport: TransportName, status: 'success' | 'failed'): void =>
  disks.inc({ transport, status });
export const countRetry = (transport: TransportName): void => retries.inc({ transport });
export const countVcenterError = (code: ErrorCode): void => vcenterErrors.inc({ code });
