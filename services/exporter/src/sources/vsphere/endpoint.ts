import type { TlsTrust } from '@hyper2kvm/contracts';
import type { Trust } from '../../net/index.js';

/** Where and as whom to log in. The password is in clear: it lives in memory only, and never in what is logged or kept. */
export interface Endpoint {
  /** `vcenter.example.com`, with a port where it is not 443. */
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly datacenter?: string;
  readonly trust: Trust;
}

export const toTrust = (tls: TlsTrust): Trust => ({
  ...(tls.ca_pem === undefined ? {} : { caPem: tls.ca_pem }),
  fingerprints: tls.thumbprint === undefined ? [] : [tls.thumbprint],
  insecure: tls.insecure,
});

/** Host and port as in URLs; users also paste `https://vcenter.example.com/ui`. */
export const hostOf = (server: string): string => server.replace(/^https:\/\//i, '').replace(/\/.*$/, '');

/** A disk's URL as the lease gives it; `*` stands for the host connected to. */
export function diskUrl(url: string, server: string): URL {
  return new URL(url.replace(/^(https?:\/\/)\*(:\d+)?/, (_, scheme: string) => `${scheme}${hostOf(server)}`));
}

export const sameHost = (url: URL, server: string): boolean => url.host === new URL(`https://${hostOf(server)}`).host;

/**
 * Trust towards the host that a lease names. ESXi's certificate is vouched for by vCenter, which gives its fingerprint
 * over a connection that is trusted already; the user's own pin counts for hosts that show the same certificate.
 */
export function diskTrust(trust: Trust, url: URL, server: string, sslThumbprint: string | undefined): Trust {
  if (sameHost(url, server) || sslThumbprint === undefined || sslThumbprint === '') return trust;
  return { ...trust, fingerprints: [...trust.fingerprints, sslThumbprint] };
}
