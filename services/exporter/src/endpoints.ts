import { JobError, type VsphereSource } from '@hyper2kvm/contracts';
import { FORGOTTEN, type Sealer } from '@hyper2kvm/runtime';
import { toTrust, type Endpoint } from './sources/vsphere/index.js';

/** A vCenter as it travels, with its password opened. @throws JobError VCENTER_LOGIN where the gateway has forgotten it */
export const toEndpoint = (source: VsphereSource, sealer: Sealer): Endpoint => ({
  server: source.server,
  username: source.username,
  password: passwordOf(source, sealer),
  ...(source.datacenter === undefined ? {} : { datacenter: source.datacenter }),
  trust: toTrust(source.tls),
});

function passwordOf({ server, password_sealed }: VsphereSource, sealer: Sealer): string {
  if (password_sealed === FORGOTTEN)
    throw new JobError('VCENTER_LOGIN', `The login for vCenter ${server} was forgotten when its job ended.`);
  return sealer.open(password_sealed);
}
