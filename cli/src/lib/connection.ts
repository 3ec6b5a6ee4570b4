import { Args } from '@oclif/core';
import type { VcenterConnection } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { UsageError } from './errors.js';
import { printable } from './format.js';
import { orNear } from './or-near.js';

export const CONNECTION_ARG = {
  name: Args.string({ description: 'Name of the connection.', ignoreStdin: true }),
};

/** @throws UsageError where there is none */
export function connectionName(name: string | undefined): string {
  if (name === undefined || name === '')
    throw new UsageError('which vCenter connection?', 'hyperctl vcenter list shows them');
  return name;
}

/** What is asked of a connection; where there is none of this name, those that come near are told. */
export const ofConnection = <T>(client: GatewayClient, name: string, ask: () => Promise<T>): Promise<T> =>
  orNear(
    name,
    ask,
    async () => (await client.connections.list()).map((one) => one.name),
    'hyperctl vcenter list shows them',
  );

/** `prod: automation@vsphere.local at vcenter.example.com` */
export const connectionWord = ({ name, username, server }: VcenterConnection): string =>
  `${name}: ${printable(username)} at ${printable(server)}`;

export const TRUST_WORDS: Readonly<Record<VcenterConnection['trust'], string>> = {
  system: "by the system's CAs",
  ca: 'by its own CA',
  thumbprint: 'pinned',
  insecure: 'not checked',
};
