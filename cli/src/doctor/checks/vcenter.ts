import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { VcenterConnection } from '@hyper2kvm/contracts';
import { CliError } from '../../lib/errors.js';
import { printable } from '../../lib/format.js';
import { connectionWords } from '../../lib/unreachable.js';
import { failed, ok, warning, type Check, type Outcome } from '../check.js';
import type { Machine } from '../machine.js';

const TIMEOUT_MS = 10_000;
/** Tokens of vCenter's single sign-on are refused beyond five minutes; logs are hard to read long before. */
const MOST_SKEW_MS = 60_000;

/** What is told of a vCenter without a login. */
interface Answer {
  readonly trusted: boolean;
  readonly problem: string;
  readonly thumbprint: string;
  readonly date: number;
  readonly apiVersion: string | undefined;
}

/** https://host/sdk/vimServiceVersions.xml needs no login; its first version is the newest. */
const ask = (server: string, ca: string | undefined, signal: AbortSignal): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request(
      new URL(`https://${server}/sdk/vimServiceVersions.xml`),
      { agent: false, signal, timeout: TIMEOUT_MS, rejectUnauthorized: false, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        const socket = response.socket as TLSSocket;
        const trusted = socket.authorized;
        const problem = String(socket.authorizationError ?? '');
        const thumbprint = socket.getPeerCertificate().fingerprint256;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          if (text.length < 100_000) text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode !== 200 || !text.includes('urn:vim25'))
            return reject(new Error(`what answers there (HTTP ${response.statusCode ?? ''}) is no vCenter`));
          const apiVersion = /<version>([\d.]+)<\/version>/.exec(text)?.[1];
          const date = Date.parse(response.headers.date ?? '');
          resolve({ trusted, problem, thumbprint, date, apiVersion });
        });
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.on('error', reject);
    call.end();
  });

async function reach(server: string, { settings, config }: Machine, signal: AbortSignal): Promise<Outcome> {
  const own = settings.vcenter.server === server;
  const trust = own ? settings.vcenter : { caFile: config.vsphere.ca_file, thumbprint: undefined, insecure: undefined };
  let answer: Answer;
  try {
    const ca = trust.caFile === undefined ? undefined : readFileSync(trust.caFile, 'utf8');
    answer = await ask(server, ca, signal);
  } catch (error) {
    return failed('it cannot be reached', connectionWords(error), [
      `getent hosts ${server.replace(/:\d+$/, '')}`,
      `curl -vk https://${server}/sdk/vimServiceVersions.xml`,
    ]);
  }
  const found = answer.apiVersion === undefined ? 'it answers' : `API ${answer.apiVersion}`;
  const skew = Math.abs(Date.now() - answer.date);
  if (skew > MOST_SKEW_MS)
    return warning(found, `its clock and this machine's differ by ${Math.round(skew / 1000)} s`, [
      'timedatectl set-ntp true',
    ]);
  const pinned = trust.thumbprint?.toUpperCase() === answer.thumbprint;
  if (answer.trusted || pinned) return ok(`${found}, its certificate is trusted${pinned ? ' (pinned)' : ''}`);
  if (trust.insecure === true) return warning(found, 'its certificate is not checked (insecure)');
  return failed(found, `its certificate is not trusted: ${answer.problem}`, [
    `--ca-file FILE    # the CA: curl -k https://${server}/certs/download.zip`,
    `--thumbprint ${answer.thumbprint}    # after you have compared it at vCenter`,
  ]);
}

/** One that the gateway knows: it logs in and asks for the privileges. */
async function test({ name, server }: VcenterConnection, { client }: Machine): Promise<Outcome> {
  try {
    const found = await client.connections.test(name);
    const version = `${printable(found.product)} at ${printable(server)}`;
    if (found.ok) return ok(`${version}, login and privileges are as needed`);
    return failed(version, `privileges are missing: ${found.missing.join(', ')}`, [
      'docs/vcenter-privileges.md has the steps',
      `hyperctl vcenter test ${name}`,
    ]);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return failed(printable(server), error.message, [error.advice ?? `hyperctl vcenter test ${name}`]);
  }
}

/** A check for each vCenter that this machine or its gateway names. */
export async function vcenterChecks(machine: Machine): Promise<Check[]> {
  const stored = await machine.client.connections.list().catch(() => []);
  const named = [machine.settings.vcenter.server, machine.config.vsphere.server];
  const servers = [...new Set(named)].filter((server) => server !== undefined && server !== '');
  return [
    ...servers.map((server): Check => ({
      id: 'vcenter',
      group: 'vcenter',
      title: printable(server ?? ''),
      run: (_, signal) => reach(server ?? '', machine, signal),
    })),
    ...stored.map((connection): Check => ({
      id: 'vcenter',
      group: 'vcenter',
      title: `Connection ${connection.name}`,
      run: () => test(connection, machine),
    })),
  ];
}
