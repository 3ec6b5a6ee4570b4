import { ConnectError, HttpProtocolError, StalledError } from '../../net/index.js';
import { TransferError } from '../errors.js';

/** Says where a connection failed. @param where `byte 12 of the disk` */
export function located(error: unknown, where: string): unknown {
  const broken = error instanceof ConnectError || error instanceof HttpProtocolError || error instanceof StalledError;
  if (!broken) return error;
  return new TransferError('EXPORT_TRANSFER', `${error.message}, at ${where}`, { again: true, cause: error });
}
