import { UsageError } from './errors.js';

/** Where the gateway listens. */
export interface Address {
  /** As the user knows it. */
  readonly shown: string;
  /** What paths are appended to. */
  readonly base: string;
  /** Path of a unix socket; undefined: TCP. */
  readonly socket: string | undefined;
}

/** `http://host:port`, `https://…`, or `unix:/run/hyper2kvm/gateway.sock`. @throws UsageError */
export function parseAddress(url: string): Address {
  const advice = 'for example http://127.0.0.1:8080, or unix:/run/hyper2kvm/gateway.sock';
  const [, socket] = /^unix:(?:\/\/)?(.*)$/i.exec(url) ?? [];
  if (socket !== undefined) {
    if (!socket.startsWith('/')) throw new UsageError(`${url}: the path of a unix socket starts with /`, advice);
    return { shown: `unix:${socket}`, base: 'http://localhost', socket };
  }
  // Before anything is said of it: what is told to the user ends up in logs.
  if (/^\w+:\/\/[^/?#]*@/.test(url))
    throw new UsageError("the gateway's address holds a login", 'leave it out; a token belongs into HYPER2KVM_TOKEN');
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UsageError(`${url} is no address of a gateway`, advice);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new UsageError(`${url} is no address of a gateway: ${parsed.protocol} is not spoken there`, advice);
  const base = url.replace(/\/+$/, '');
  return { shown: base, base, socket: undefined };
}
