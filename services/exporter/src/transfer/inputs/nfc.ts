import { TrustingAgent } from '../../net/index.js';
import { GRAIN_BYTES, VmdkDecoder, VmdkError } from '../../vmdk/index.js';
import { TransferError } from '../errors.js';
import { httpGet } from './http-body.js';
import type { NfcInput, Pour, Sink } from './input.js';

/** The stream is decoded as it comes. @throws VmdkError, TransferError, errors of the connection */
export const pourNfc: Pour<NfcInput> = async (input, disk, sink, signal) => {
  const decoder = vmdkInto(sink, disk.capacityBytes);
  const agent = new TrustingAgent(input.trust, { keepAlive: false });
  let received = 0;
  try {
    await httpGet(
      {
        url: input.url,
        agent,
        headers: input.cookie === undefined ? {} : { Cookie: input.cookie },
        stallTimeoutMs: disk.stallTimeoutMs,
        signal,
        where: () => ` at byte ${received} of the stream`,
      },
      async (response, body) => {
        checkStatus(response.statusCode ?? 0);
        for await (const piece of body) {
          received += piece.length;
          sink.received(piece);
          await decoder.write(piece);
          const wait = sink.throttle();
          if (wait !== undefined) await wait;
        }
      },
    );
  } finally {
    agent.destroy();
  }
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
