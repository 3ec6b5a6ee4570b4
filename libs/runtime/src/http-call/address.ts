import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { HttpCallError } from './error.js';

/**
 * Addresses that answer nobody from outside: on them clouds serve credentials of the machine (169.254.169.254). IPv4 ones that
 * are written as IPv6 (`::ffff:`) are found by the list itself.
 */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
/** The same behind a translator, RFC 6052. */
LINK_LOCAL.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

const isLinkLocal = ({ address, family }: LookupAddress): boolean =>
  LINK_LOCAL.check(address.replace(/%.*$/, ''), family === 6 ? 'ipv6' : 'ipv4');

/** Whether an address itself is link-local. What a name stands for is looked at when it is called. */
export function namesLinkLocal(url: string): boolean {
  const host = hostOf(new URL(url));
  const family = isIP(host);
  return family !== 0 && isLinkLocal({ address: host, family });
}

/**
 * Where a call to this host may go. Asked once for each call, so that a name cannot mean one address when it is looked at, and
 * another when it is called.
 * @throws HttpCallError forbidden, unreachable
 */
export async function addressesOf(url: URL, signal: AbortSignal): Promise<LookupAddress[]> {
  const host = hostOf(url);
  const literal = isIP(host);
  const found = literal === 0 ? await resolve(host, signal) : [{ address: host, family: literal }];
  const allowed = found.filter((address) => !isLinkLocal(address));
  if (allowed.length === 0)
    throw new HttpCallError('forbidden', `${url.host} is a link-local address, nothing is sent there`);
  return allowed;
}

/** IPv6 without its brackets. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

async function resolve(host: string, signal: AbortSignal): Promise<LookupAddress[]> {
  return new Promise((done, fail) => {
    const aborted = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    lookup(host, { all: true }, (error, addresses) => {
      signal.removeEventListener('abort', aborted);
      if (error) fail(new HttpCallError('unreachable', `${host} cannot be resolved (${error.code ?? error.message})`));
      else done(addresses);
    });
  });
}
