import tls from 'node:tls';

/**
 * How the other side's certificate is trusted. Plain data: it crosses into the transfer threads.
 * Any one of the fingerprints is enough; without fingerprints the certificate has to verify against the CA.
 */
export interface Trust {
  /** PEM of the CA; the system's when absent. */
  readonly caPem?: string;
  /** SHA-256 (64 digits) or SHA-1 (40 digits, what vCenter gives for its hosts) fingerprints, with or without colons. */
  readonly fingerprints: readonly string[];
  readonly insecure: boolean;
}

/** The certificate was not trusted. `fingerprint` is the SHA-256 of the one that was shown, for pinning it. */
export class TlsTrustError extends Error {
  override readonly name = 'TlsTrustError';
  constructor(
    message: string,
    readonly fingerprint: string,
  ) {
    super(message);
  }
}

/** Nobody answered in time, or at all. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

/** TCP and TLS together; leaves room for an answer within the 13 s that a user waits for "unreachable". */
export const CONNECT_TIMEOUT_MS = 8_000;

/**
 * A TLS connection whose certificate was checked before a byte of ours is written: neither a password nor a cookie reaches a
 * stranger.
 * @throws TlsTrustError, ConnectError
 */
export async function connectTrusted(
  trust: Trust,
  options: tls.ConnectionOptions,
  timeoutMs = CONNECT_TIMEOUT_MS,
  signal?: AbortSignal,
): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    ...options,
    // Decided below, where the reason and the fingerprint can be told.
    rejectUnauthorized: false,
    ...(trust.caPem === undefined ? {} : { ca: trust.caPem }),
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new ConnectError(`no connection within ${timeoutMs / 1000} s`)), timeoutMs);
    const onAbort = (): void => fail(new ConnectError('stopped'));
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    // Stays: what comes later is for whoever has the socket then, but must never be unhandled.
    socket.on('error', (error) => fail(new ConnectError(error.message, { cause: error })));
    // Destroyed from outside, without an error.
    socket.once('close', () => fail(new ConnectError('the connection was closed')));
    socket.once('secureConnect', () => {
      settle();
      const error = distrust(trust, socket);
      if (error === undefined) resolve(socket);
      else fail(error);
    });
  });
}

function distrust(trust: Trust, socket: tls.TLSSocket): Error | undefined {
  if (trust.insecure) return undefined;
  const certificate = socket.getPeerCertificate();
  if (trust.fingerprints.length > 0) {
    const shown = [certificate.fingerprint256, certificate.fingerprint].map(normalise);
    if (trust.fingerprints.some((wanted) => shown.includes(normalise(wanted)))) return undefined;
    return new TlsTrustError('its certificate is not the pinned one', certificate.fingerprint256);
  }
  if (socket.authorized) return undefined;
  // The type says Error; at run time it is a code such as DEPTH_ZERO_SELF_SIGNED_CERT.
  return new TlsTrustError(String(socket.authorizationError), certificate.fingerprint256);
}

const normalise = (fingerprint: string | undefined): string => (fingerprint ?? '').replaceAll(':', '').toUpperCase();
