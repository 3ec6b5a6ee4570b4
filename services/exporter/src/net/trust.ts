import { Agent, type AgentOptions } from 'node:https';
import tls from 'node:tls';
import type { Duplex } from 'node:stream';

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

/** Checks the certificate before a byte of ours is written: neither a password nor a cookie reaches a stranger. */
export class TrustingAgent extends Agent {
  constructor(
    private readonly trust: Trust,
    options: AgentOptions = {},
    private readonly connectTimeoutMs = CONNECT_TIMEOUT_MS,
  ) {
    super({ keepAlive: true, ...options });
  }

  override createConnection(
    options: tls.ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const { trust } = this;
    const socket = tls.connect({
      ...options,
      // Decided below, where the reason and the fingerprint can be told.
      rejectUnauthorized: false,
      ...(trust.caPem === undefined ? {} : { ca: trust.caPem }),
    });
    let settled = false;
    const settle = (error?: Error): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (error) {
        socket.destroy();
        callback?.(error, undefined as never);
      } else {
        callback?.(null, socket);
      }
    };
    const timer = setTimeout(
      () => settle(new ConnectError(`no connection within ${this.connectTimeoutMs / 1000} s`)),
      this.connectTimeoutMs,
    );
    socket.once('secureConnect', () => settle(distrust(trust, socket)));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.syscall === undefined ? error : new ConnectError(error.message, { cause: error })),
    );
    return undefined;
  }
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
