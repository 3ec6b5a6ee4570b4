import { GatewayUnreachable } from './errors.js';

/** The innermost reason of a failed request. */
export function causeOf(error: unknown): { code: string; message: string } {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  // Several addresses were tried, each with its own reason.
  if (cause instanceof AggregateError && cause.errors.length > 0) cause = cause.errors[0];
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  return { code, message: cause instanceof Error ? cause.message : String(cause) };
}

/** Nobody answered, or nothing that could be read. @param shown the address as the user knows it */
export function unreachable(shown: string, error: unknown, timeoutMs: number): GatewayUnreachable {
  const tell = (why: string, advice?: string): GatewayUnreachable => new GatewayUnreachable(shown, why, error, advice);
  if (error instanceof Error && error.name === 'TimeoutError')
    return tell(
      `no answer within ${timeoutMs / 1000} s`,
      `see whether it is healthy: hyperctl daemon status; ${WHENCE}`,
    );
  const { code, message } = causeOf(error);
  if (code.startsWith('HPE_') || /HTTP\/1\.1 protocol|^Parse Error/.test(message))
    return tell('what answers there does not speak HTTP', WHENCE);
  const distrust = DISTRUST[code];
  if (distrust !== undefined) return tell(distrust, TRUST);
  // https://fetch.spec.whatwg.org/#bad-port
  if (message === 'bad port') return tell('its port is one of another protocol, which is never asked', WHENCE);
  const why = WORDS[code] ?? message;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return tell(why, 'write http:// in its address');
  if (UNKNOWN.has(code)) return tell(why, WHENCE);
  if (code === 'EACCES') return tell(why, 'become a member of the group hyper2kvm, or use its TCP address: --url');
  return isHere(shown)
    ? tell(why)
    : tell(why, `see whether it runs there: hyperctl daemon status on that machine; ${WHENCE}`);
}

/** What listens there is something else. */
export const notGateway = (shown: string, why: string): GatewayUnreachable =>
  new GatewayUnreachable(shown, why, undefined, WHENCE);

const WHENCE = 'where the address comes from: hyperctl config view --origin (another one: --url, HYPER2KVM_URL)';
const TRUST =
  'name the PEM file of its CA: HYPER2KVM_CA_FILE, or hyperctl config set ca_file /etc/hyper2kvm/gateway-ca.pem';

/** Why there was no connection, in words. */
export function connectionWords(error: unknown): string {
  const { code, message } = causeOf(error);
  return WORDS[code] ?? message;
}

const isHere = (shown: string): boolean => /^(?:unix:|https?:\/\/(?:127\.|localhost\b|\[::1\]))/i.test(shown);

const UNKNOWN = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ENOENT']);

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused: nothing listens there',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not use the socket: root and members of the group hyper2kvm may',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNRESET: 'the connection was cut',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answers there does not speak TLS',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'no answer within 10 minutes',
  UND_ERR_SOCKET: 'the connection was cut',
};

const UNKNOWN_CA =
  'its TLS certificate is not trusted here: it is signed by itself or by a CA that this machine does not know';
const DISTRUST: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  CERT_NOT_YET_VALID: "its TLS certificate is not valid yet: is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is that of another host',
};
