import type { ErrorCode } from '@hyper2kvm/contracts';

/** Codes that a transfer can end with. */
export type TransferCode = Extract<
  ErrorCode,
  | 'EXPORT_TRANSFER'
  | 'EXPORT_CORRUPT'
  | 'EXPORT_MISMATCH'
  | 'EXPORT_LEASE'
  | 'SOURCE_CHANGED'
  | 'SOURCE_INVALID'
  | 'VCENTER_TLS'
  | 'VCENTER_PERMISSION'
  | 'DISK_FULL'
  | 'INTERNAL'
>;

/** A failure that says itself what it means to the job. The message is a sentence for the user. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  /** Asking again at once, on a new connection, may help. */
  readonly again: boolean;

  constructor(
    readonly code: TransferCode,
    message: string,
    options: { again?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.again = options.again ?? false;
  }
}
