import type { VcenterConnection } from '@hyper2kvm/contracts';
import type { VsphereConfig } from '../config.js';
import type { VcenterRow } from '../database/index.js';
import { CONFIGURED, configuredLogin } from './configured.js';
import { kindOf } from './trust.js';

/** A stored connection as people see it. */
export const shownRow = (row: VcenterRow): VcenterConnection => ({
  name: row.name,
  server: row.server,
  username: row.username,
  datacenter: row.datacenter,
  trust: kindOf(row.tls),
  thumbprint: row.tls.thumbprint ?? null,
  origin: 'stored',
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

/** That of the configuration, where it names a server. */
export function shownConfiguration(config: VsphereConfig): VcenterConnection[] {
  const { server, datacenter, ca_file, thumbprint, insecure } = config;
  if (server === undefined) return [];
  return [
    {
      name: CONFIGURED,
      server,
      username: usernameOf(config),
      datacenter: datacenter ?? null,
      trust: kindOf({ ca_pem: ca_file, thumbprint, insecure }),
      thumbprint: thumbprint ?? null,
      origin: 'configuration',
      created_by: null,
      created_at: null,
      updated_at: null,
    },
  ];
}

/** Empty where none is configured, or its file cannot be read now: `test` says why. */
function usernameOf(config: VsphereConfig): string {
  if (config.username !== undefined) return config.username;
  try {
    return configuredLogin(config).username ?? '';
  } catch {
    return '';
  }
}
