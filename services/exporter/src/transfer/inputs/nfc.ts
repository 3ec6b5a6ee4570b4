import { HttpsReader } from '../../net/index.js';
import { GRAIN_BYTES, VmdkDecoder, VmdkError } from '../../vmdk/index.js';
import { TransferError } from '../errors.js';
import { located } from './http-failure.js';
import type { NfcInput, Pour, Sink } from './input.js';

/** The stream is decoded as it comes. @throws VmdkError, TransferError, TlsTrustError */
export const pourNfc: Pour<NfcInput> = async (input, disk, sink, signal) => {
  const decoder = vmdkInto(sink, disk.capacityBytes);
  const connection = new HttpsReader(input.trust, disk.stallTimeoutMs, signal);
  let received = 0;
  let decoded = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;
  try {
    await connection.get(input.url, input.cookie === undefined ? {} : { Cookie: input.cookie }, {
      head: ({ status }) => checkStatus(status),
      body: (piece) => {
        received += piece.length;
        sink.received(piece);
        // A piece is used up before the decoder waits for anything, and what it would wait for is waited for below.
        decoded = decoder.write(piece).catch((error: unknown) => {
          failure ??= { error };
          connection.fail(error);
        });
        return sink.pressure() ?? sink.throttle();
      },
    });
  } catch (error) {
    throw located(error, `byte ${received} of the stream`);
  } finally {
    connection.close();
  }
  // The last piece may have completed the answer before it was found to be wrong.
  await decoded;
  if (failure !== undefined) throw failure.error;
  decoder.end();
};

/** A decoder whose content goes into the sink. @throws VmdkError when the stream tells another capacity */
export function vmdkInto(sink: Sink, capacityBytes: number): VmdkDecoder {
  return new VmdkDecoder({
    header: (header) => {
      if (header.capacityBytes === capacityBytes) return;
      throw new VmdkError(
        'capacity',
        `the disk in the stream has ${header.capacityBytes} bytes, the VM's disk has ${capacityBytes}`,
        12,
      );
    },
    data: (index, content) => {
      sink.data(index * GRAIN_BYTES, content);
      sink.progress(index * GRAIN_BYTES + content.length);
    },
    pressure: () => sink.pressure(),
  });
}

function checkStatus(status: number): void {
  if (status === 200) return;
  const answered = `the server answered HTTP ${status}`;
  // The ticket in the URL is the lease's: unknown or forbidden means that the lease is gone.
  if (status === 404 || status === 403) throw new TransferError('EXPORT_LEASE', `${answered}: the lease is gone`);
  // A session's end is no lease's end: the next try asks with the session renewed.
  if (status === 401) throw new TransferError('EXPORT_TRANSFER', `${answered}: the session has ended`);
  throw new TransferError('EXPORT_TRANSFER', answered);
}
