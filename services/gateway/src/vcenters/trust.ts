import type { TlsTrust, VcenterConnection } from '@hyper2kvm/contracts';

export type Tls = TlsTrust;

interface Asked {
  readonly ca_pem?: string | undefined;
  readonly thumbprint?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** What was chosen; undefined where nothing was. */
export function trustOf({ ca_pem, thumbprint, insecure }: Asked): Tls | undefined {
  if (ca_pem === undefined && thumbprint === undefined && insecure === undefined) return undefined;
  return {
    ...(ca_pem === undefined ? {} : { ca_pem }),
    ...(thumbprint === undefined ? {} : { thumbprint }),
    insecure: insecure ?? false,
  };
}

const plain = (thumbprint: string | undefined): string | undefined => thumbprint?.replaceAll(':', '').toLowerCase();

export const sameTrust = (one: Tls, other: Tls): boolean =>
  one.ca_pem?.trim() === other.ca_pem?.trim() &&
  plain(one.thumbprint) === plain(other.thumbprint) &&
  one.insecure === other.insecure;

/** As it is shown. */
export function kindOf(tls: Asked): VcenterConnection['trust'] {
  if (tls.insecure === true) return 'insecure';
  if (tls.thumbprint !== undefined) return 'thumbprint';
  return tls.ca_pem === undefined ? 'system' : 'ca';
}
