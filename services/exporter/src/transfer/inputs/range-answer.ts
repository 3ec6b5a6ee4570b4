import type { AnswerHead } from '../../net/index.js';
import { TransferError } from '../errors.js';
import type { RangesInput } from './input.js';
import type { Range } from './range-window.js';

type Expected = Pick<RangesInput, 'sizeBytes' | 'lastModified' | 'etag'>;

/**
 * Whether an answer brings exactly the range that was asked for, of the file that is meant.
 * @throws TransferError
 */
export function checkAnswer({ status, headers }: AnswerHead, range: Range, file: Expected): void {
  if (status !== 206) throw refusal(status, range);
  const told = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  const asked = `${range.start}-${range.end - 1}`;
  if (told === null || `${told[1]}-${told[2]}` !== asked)
    throw new TransferError(
      'EXPORT_TRANSFER',
      `the server sent ${headers['content-range'] ?? 'a part without a Content-Range'} instead of the bytes ${asked} that were asked for`,
    );
  if (told[3] !== String(file.sizeBytes))
    throw new TransferError(
      'SOURCE_CHANGED',
      `the file behind the disk has ${told[3]} bytes instead of ${file.sizeBytes} (told with the bytes from ${range.start} on)`,
    );
  const length = headers['content-length'];
  if (length !== undefined && length !== String(range.end - range.start))
    throw new TransferError(
      'EXPORT_TRANSFER',
      `the server announced ${length} bytes for the ${range.end - range.start} from byte ${range.start} on`,
      { again: true },
    );
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity')
    throw new TransferError(
      'EXPORT_TRANSFER',
      `the server sent the disk in the encoding ${headers['content-encoding']}`,
    );
  unchanged('Last-Modified', file.lastModified, headers['last-modified'], range);
  unchanged('ETag', file.etag, headers['etag'], range);
}

function unchanged(what: string, wanted: string | undefined, told: string | undefined, range: Range): void {
  if (wanted === undefined || told === undefined || told === wanted) return;
  throw new TransferError(
    'SOURCE_CHANGED',
    `the file behind the disk was changed while it was read: ${what} is ${told} instead of ${wanted} at byte ${range.start}`,
  );
}

function refusal(status: number, { start }: Range): TransferError {
  const answered = `the server answered HTTP ${status} to the range at byte ${start}`;
  switch (status) {
    case 200:
      return new TransferError(
        'EXPORT_TRANSFER',
        `the server sent the whole file instead of the range at byte ${start}: it, or a proxy, does not serve ranges`,
      );
    case 401:
      // Asking again with this cookie is of no use; the next try of the disk comes with the session renewed.
      return new TransferError('EXPORT_TRANSFER', `${answered}: the session has ended`);
    case 403:
      return new TransferError('VCENTER_PERMISSION', `${answered}: the account may not read the datastore`);
    case 404:
      return new TransferError('SOURCE_CHANGED', `${answered}: the file behind the disk is gone`);
    case 416:
      return new TransferError('SOURCE_CHANGED', `${answered}: the file behind the disk is shorter than before`);
    default:
      // Among them "out of HTTP sessions" (503), which passes.
      return new TransferError('EXPORT_TRANSFER', answered, {
        again: status >= 500 || status === 429 || status === 408,
      });
  }
}
