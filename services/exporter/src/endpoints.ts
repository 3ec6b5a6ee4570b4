import type { VsphereSource } from '@hyper2kvm/contracts';
import type { Sealer } from '@hyper2kvm/runtime';
import { toTrust, type Endpoint } from './sources/vsphere/index.js';

/** A vCenter as it travels, with its password opened. */
export const toEndpoint = (source: VsphereSource, sealer: Sealer): Endpoint => ({
  server: source.server,
  username: source.username,
  password: sealer.open(source.password_sealed),
  ...(source.datacenter === undefined ? {} : { datacenter: source.datacenter }),
  trust: toTrust(source.tls),
});
