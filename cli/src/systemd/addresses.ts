import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ServiceName } from '../daemon/names.js';

export const DEFAULT_CONFIG = '/etc/hyper2kvm/config.yaml';

/** Where services listen, as their configuration says; none where this user may not read it. */
export interface Addresses {
  /** `host:port` of each that answers /health. */
  readonly listen: ReadonlyMap<ServiceName, string>;
  /** The gateway's unix socket. */
  readonly socket: string | undefined;
  readonly readable: boolean;
}

type Tree = Record<string, Record<string, unknown> | undefined>;
const DEFAULT_GATEWAY = '127.0.0.1:8080';

export function readAddresses(config: string): Addresses {
  let tree: Tree | null;
  try {
    tree = parse(readFileSync(config, 'utf8')) as Tree | null;
  } catch {
    return { listen: new Map(), socket: undefined, readable: false };
  }
  const text = (section: string, key: string): string | undefined => {
    const value = tree?.[section]?.[key];
    return typeof value === 'string' ? value : undefined;
  };
  const listen = new Map<ServiceName, string>([['gateway', text('gateway', 'listen') ?? DEFAULT_GATEWAY]]);
  for (const name of ['exporter', 'converter', 'notifier'] as const) {
    const at = text(name, 'metrics_listen');
    if (at !== undefined) listen.set(name, at);
  }
  return { listen, socket: text('gateway', 'socket'), readable: true };
}

/** Address for somebody on this machine: who listens everywhere is asked here. */
export function localUrl(listen: string): string {
  const colon = listen.lastIndexOf(':');
  const host = listen.slice(0, colon);
  const here = host === '' || host === '0.0.0.0' || host === '[::]' || host === '::' ? '127.0.0.1' : host;
  return `http://${here}:${listen.slice(colon + 1)}`;
}

/** Whether an address of a gateway is the one that listens here. */
export function isHere(url: string, listen: string | undefined, socket: string | undefined): boolean {
  const [, path] = /^unix:(?:\/\/)?(.*)$/i.exec(url) ?? [];
  if (path !== undefined) return path === socket;
  if (listen === undefined || !URL.canParse(url)) return false;
  const asked = new URL(url);
  const own = new URL(localUrl(listen));
  const port = asked.port === '' ? (asked.protocol === 'https:' ? '443' : '80') : asked.port;
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;
  // A local address leads elsewhere, as a tunnel does, where the gateway listens on another one only.
  const both = loopback.test(asked.hostname) && loopback.test(own.hostname);
  return port === own.port && (asked.hostname === own.hostname || both);
}
