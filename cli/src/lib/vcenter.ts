import { readFileSync } from 'node:fs';
import { Flags } from '@oclif/core';
import type { VcenterRequest } from '@hyper2kvm/contracts';
import { UsageError } from './errors.js';
import { given } from './given.js';
import { askSecret } from './prompt.js';
import type { Settings } from './settings.js';

/** Which vCenter, and how it is trusted. */
export const VCENTER_FLAGS = {
  vcenter: Flags.string({ helpGroup: 'VCENTER', description: 'vCenter (host[:port]); also VSPHERE_SERVER.' }),
  username: Flags.string({ helpGroup: 'VCENTER', description: 'Account at vCenter; also VSPHERE_USERNAME.' }),
  datacenter: Flags.string({ helpGroup: 'VCENTER', description: 'Datacenter to look in; also VSPHERE_DATACENTER.' }),
  'ca-file': Flags.string({ helpGroup: 'VCENTER', description: "PEM file with the CA of vCenter's certificate." }),
  thumbprint: Flags.string({ helpGroup: 'VCENTER', description: "SHA-256 fingerprint of vCenter's certificate." }),
  insecure: Flags.boolean({
    helpGroup: 'VCENTER',
    allowNo: true,
    description: "Do not check vCenter's certificate.",
  }),
};

/** The request's `vcenter`, without a password; what nobody said is left to the gateway. @throws UsageError about --ca-file */
export function vcenterRequest(vcenter: Settings['vcenter']): VcenterRequest {
  return {
    ...given('server', vcenter.server),
    ...given('username', vcenter.username),
    ...given('datacenter', vcenter.datacenter),
    ...given('ca_pem', vcenter.caFile === undefined ? undefined : readCa(vcenter.caFile)),
    ...given('thumbprint', vcenter.thumbprint),
    ...given('insecure', vcenter.insecure),
  };
}

/** Adds the password: of VSPHERE_PASSWORD, else asked for on a terminal. Never from the arguments: every process may read these. */
export async function withPassword(
  vcenter: VcenterRequest | undefined,
  settings: Settings,
  quiet: boolean,
): Promise<VcenterRequest> {
  const password = await readPassword(settings, quiet);
  return { ...vcenter, ...given('password', password) };
}

async function readPassword(settings: Settings, quiet: boolean): Promise<string | undefined> {
  const fromEnvironment = process.env['VSPHERE_PASSWORD'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const { username, server } = settings.vcenter;
  if (username === undefined || quiet || !process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const answer = await askSecret(`Password of ${username} at ${server ?? 'vCenter'} (empty: the gateway's own): `);
  return answer === '' ? undefined : answer;
}

function readCa(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (error) {
    throw new UsageError(`--ca-file: ${(error as Error).message}`);
  }
  throw new UsageError(`--ca-file: ${file} holds no certificate in PEM format`);
}
