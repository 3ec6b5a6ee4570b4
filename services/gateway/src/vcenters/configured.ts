import { readFileSync, statSync } from 'node:fs';
import { JobError } from '@hyper2kvm/contracts';
import type { VsphereConfig } from '../config.js';
import type { Known, Login } from './resolve.js';

/** Name of the connection in the configuration's section `vsphere`. No other has it. */
export const CONFIGURED = 'default';

/** Undefined where the configuration names no server. */
export function configured(config: VsphereConfig): Known | undefined {
  const { server, datacenter, ca_file, thumbprint, insecure } = config;
  if (server === undefined) return undefined;
  return {
    name: CONFIGURED,
    server,
    ...(datacenter === undefined ? {} : { datacenter }),
    tls: () => ({
      ...(ca_file === undefined ? {} : { ca_pem: readOwn(ca_file, 'vsphere.ca_file') }),
      ...(thumbprint === undefined ? {} : { thumbprint }),
      insecure: insecure ?? false,
    }),
    login: () => configuredLogin(config),
  };
}

/** @throws JobError BAD_REQUEST where the file of the login cannot be used */
export function configuredLogin(config: VsphereConfig): Login {
  const file = config.credentials_file === undefined ? {} : readCredentials(config.credentials_file);
  const username = config.username ?? file.username;
  const password = config.password ?? file.password;
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

/** Reads `username:` and `password:`; read anew each time, so that a changed password needs no restart. */
export function readCredentials(path: string): Login {
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
