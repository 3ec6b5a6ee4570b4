import { readFileSync, statSync } from 'node:fs';
import { JobError, type VcenterRequest } from '@hyper2kvm/contracts';
import type { VsphereConfig } from '../config.js';

/** Everything needed to reach a vCenter. The password is plain here, and only here. */
export interface VcenterSettings {
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly datacenter?: string;
  readonly tls: { ca_pem?: string; thumbprint?: string; insecure: boolean };
}

/**
 * The request's settings over the gateway's. The gateway's own login is used for its own vCenter alone: a caller must not be
 * able to have it sent to a server of his choice.
 * @throws JobError BAD_REQUEST naming what is missing
 */
export function resolveVcenter(request: VcenterRequest, config: VsphereConfig): VcenterSettings {
  const server = request.server ?? config.server;
  if (server === undefined) throw missing('vcenter.server', '--vcenter', 'vsphere.server');
  const own = config.server !== undefined && sameServer(server, config.server);
  const login = own ? ownLogin(config) : {};
  const username = request.username ?? login.username;
  if (username === undefined) throw missing('vcenter.username', '--username', 'vsphere.username');
  const password = request.password ?? (username === login.username ? login.password : undefined);
  if (password === undefined) throw missing('vcenter.password', 'VSPHERE_PASSWORD', 'vsphere.password');
  const datacenter = request.datacenter ?? (own ? config.datacenter : undefined);
  return {
    server,
    username,
    password,
    ...(datacenter === undefined ? {} : { datacenter }),
    tls: trust(request, own ? config : {}),
  };
}

const sameServer = (one: string, other: string): boolean => normal(one) === normal(other);
const normal = (server: string): string => server.toLowerCase().replace(/:443$/, '');

function missing(field: string, cli: string, key: string): JobError {
  return new JobError(
    'BAD_REQUEST',
    `${field} is missing: give it with the request (${cli}), or set ${key} in the gateway's configuration.`,
  );
}

function trust(request: VcenterRequest, config: VsphereConfig): VcenterSettings['tls'] {
  // One explicit choice of the request replaces all of the configuration's, so that a pin is not weakened by a leftover.
  if (request.ca_pem !== undefined || request.thumbprint !== undefined || request.insecure !== undefined) {
    return {
      ...(request.ca_pem === undefined ? {} : { ca_pem: request.ca_pem }),
      ...(request.thumbprint === undefined ? {} : { thumbprint: request.thumbprint }),
      insecure: request.insecure ?? false,
    };
  }
  return {
    ...(config.ca_file === undefined ? {} : { ca_pem: readOwn(config.ca_file, 'vsphere.ca_file') }),
    ...(config.thumbprint === undefined ? {} : { thumbprint: config.thumbprint }),
    insecure: config.insecure ?? false,
  };
}

function ownLogin(config: VsphereConfig): { username?: string; password?: string } {
  const file = config.credentials_file === undefined ? {} : readCredentials(config.credentials_file);
  const username = config.username ?? file.username;
  const password = config.password ?? file.password;
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

/** Reads `username:` and `password:`; read anew each time, so that a changed password needs no restart. */
export function readCredentials(path: string): { username?: string; password?: string } {
  const { mode } = stat(path);
  if ((mode & 0o777) !== 0o600) {
    throw new JobError(
      'BAD_REQUEST',
      `vsphere.credentials_file ${path} has mode 0${(mode & 0o777).toString(8)}; it has to be 0600: chmod 600 ${path}`,
    );
  }
  const found: { username?: string; password?: string } = {};
  for (const line of readOwn(path, 'vsphere.credentials_file').split('\n')) {
    const [, key, value] = /^\s*(username|password)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if ((key === 'username' || key === 'password') && value !== undefined && value !== '') found[key] = unquote(value);
  }
  return found;
}

/** As YAML reads a scalar: quotes go; an unquoted one ends before ` #`. */
function unquote(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1).replaceAll("''", "'");
  if (/^".*"$/.test(value)) {
    try {
      return JSON.parse(value) as string;
    } catch {
      return value.slice(1, -1);
    }
  }
  return value.replace(/\s+#.*$/, '');
}

function stat(path: string): { mode: number } {
  try {
    return statSync(path);
  } catch (error) {
    throw unreadable('vsphere.credentials_file', path, error);
  }
}

function readOwn(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(key, path, error);
  }
}

const unreadable = (key: string, path: string, error: unknown): JobError =>
  new JobError('BAD_REQUEST', `${key} ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
