import { JobError, type VcenterRequest } from '@hyper2kvm/contracts';
import { sameTrust, trustOf, type Tls } from './trust.js';

/** Everything needed to reach a vCenter. The password is plain here, and only here. */
export interface VcenterSettings {
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly datacenter?: string;
  readonly tls: Tls;
}

export interface Login {
  readonly username?: string;
  readonly password?: string;
}

/** A connection that is stored or configured. */
export interface Known {
  readonly name: string;
  readonly server: string;
  readonly datacenter?: string;
  /** Read when it is needed: files may have changed. */
  readonly tls: () => Tls;
  readonly login: () => Login;
}

export interface Resolved {
  readonly settings: VcenterSettings;
  /** Whether the password is the connection's, and not the request's. */
  readonly ownLogin: boolean;
}

/**
 * The request's settings over those of the connection that it names.
 *
 * A stored password can never be sent to a server of a caller's choice: with it come its own server, its own user name and its
 * own trust, all from the connection. The request only chooses which connection; it may narrow down where to look (the
 * datacenter), or bring a password of its own, and only then what it says of user and trust counts. For the same reason an
 * administrator who points a connection to another server has to give its password again (`VcenterConnections.update`), and
 * nobody is shown one.
 * @throws JobError BAD_REQUEST naming what is missing, or what does not go together
 */
export function resolveVcenter(request: VcenterRequest, known: Known | undefined): Resolved {
  const server = known?.server ?? request.server;
  if (server === undefined) throw missing('vcenter.server', '--vcenter', 'vsphere.server');
  const unknownName = known === undefined ? server : undefined;
  const complete = request.username !== undefined && request.password !== undefined;
  const login = known === undefined || complete ? {} : known.login();
  const username = request.username ?? login.username;
  if (username === undefined) throw missing('vcenter.username', '--username', 'vsphere.username', unknownName);
  const ownLogin = request.password === undefined;
  const password = request.password ?? (username === login.username ? login.password : undefined);
  if (password === undefined) throw missing('vcenter.password', 'VSPHERE_PASSWORD', 'vsphere.password', unknownName);
  const datacenter = request.datacenter ?? known?.datacenter;
  return {
    settings: {
      server,
      username,
      password,
      ...(datacenter === undefined ? {} : { datacenter }),
      tls: trusted(request, known, ownLogin),
    },
    ownLogin,
  };
}

/** One explicit choice of the request replaces all of the connection's, so that a pin is not weakened by a leftover. */
function trusted(request: VcenterRequest, known: Known | undefined, ownLogin: boolean): Tls {
  const asked = trustOf(request);
  const kept = known?.tls() ?? { insecure: false };
  if (asked === undefined) return kept;
  if (!ownLogin || sameTrust(asked, kept)) return asked;
  // A plain wish to have it verified takes nothing away.
  const plain = asked.ca_pem === undefined && asked.thumbprint === undefined && !asked.insecure;
  if (plain) return kept.insecure ? asked : kept;
  throw new JobError(
    'BAD_REQUEST',
    `vcenter: the login of ${known?.name ?? 'the gateway'} is sent only where its certificate is trusted as it was set up there. To trust another one, give vcenter.username and vcenter.password with the request, or have the connection changed.`,
  );
}

/** @param unknownName what was asked for, where it is no connection that is known: a name that was mistyped, or a host */
function missing(field: string, cli: string, key: string, unknownName?: string): JobError {
  const why = unknownName === undefined ? '' : `, and ${unknownName} is no stored connection`;
  return new JobError(
    'BAD_REQUEST',
    `${field} is missing${why}: give it with the request (${cli}), name a stored connection (hyperctl vcenter list), or set ${key} in the gateway's configuration.`,
  );
}
