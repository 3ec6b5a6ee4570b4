import { readFileSync } from 'node:fs';
import { Flags } from '@oclif/core';
import type { VcenterRequest } from '@hyper2kvm/contracts';
import { vcenterKey } from './config/index.js';
import { UsageError } from './errors.js';
import { unreadable } from './file-errors.js';
import { given } from './given.js';
import { askSecret } from './prompt.js';
import { readSecretFile } from './secret-file.js';
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
  'password-file': Flags.string({
    helpGroup: 'VCENTER',
    description: 'File of mode 0600 with the password; else VSPHERE_PASSWORD, else it is asked for on a terminal.',
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

/** Where a password may come from. Never from the arguments: every process may read these. */
export interface PasswordSource {
  readonly file: string | undefined;
  /** Nobody is there to be asked. */
  readonly quiet: boolean;
}

/**
 * Adds the password: of a file, of VSPHERE_PASSWORD, else asked for on a terminal; without one the gateway uses its own.
 * @throws UsageError about the file
 */
export async function withPassword(
  vcenter: VcenterRequest | undefined,
  { file, quiet }: PasswordSource,
): Promise<VcenterRequest> {
  const { username, server } = vcenter ?? {};
  const question = `Password of ${username} at ${server ?? 'vCenter'} (empty: the gateway's own): `;
  const password =
    givenPassword(file, server) ?? (username === undefined ? undefined : await askPassword(question, quiet));
  return { ...vcenter, ...given('password', password) };
}

/**
 * Of a file of mode 0600, or of VSPHERE_PASSWORD; not of the latter where VSPHERE_SERVER beside it names another server than this.
 * @throws UsageError about the file
 */
export function givenPassword(file: string | undefined, server?: string): string | undefined {
  if (file !== undefined) return readSecretFile(file, '--password-file');
  const { VSPHERE_PASSWORD: password, VSPHERE_SERVER: beside } = process.env;
  const isOther =
    server !== undefined && beside !== undefined && beside !== '' && vcenterKey(beside) !== vcenterKey(server);
  return password === '' || isOther ? undefined : password;
}

/** Undefined where there is no terminal, or the answer is empty. */
export async function askPassword(question: string, quiet: boolean): Promise<string | undefined> {
  if (quiet || !process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const answer = await askSecret(question);
  return answer === '' ? undefined : answer;
}

function readCa(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  } catch (error) {
    throw unreadable('--ca-file', file, error);
  }
  throw new UsageError(`--ca-file: ${file} holds no certificate in PEM format`);
}
