import { ErrorCode, JOB_STATUSES, LANES } from '@hyper2kvm/contracts';
import type { GatewayClient } from '../lib/client.js';
import { SETTINGS } from '../lib/config/table.js';
import type { CommandShape, FlagShape } from './position.js';
import { SHELLS } from './scripts.js';

/** One word that fits. */
export interface Candidate {
  readonly value: string;
  readonly description?: string | undefined;
}

/** Where the values of a flag or an argument come from. */
export type Source =
  | 'files'
  | 'folders'
  | { readonly values: readonly string[]; /** Several, with commas between. */ readonly list?: boolean }
  /** The configuration knows them. */
  | 'contexts'
  /** The gateway knows them. */
  | ((client: GatewayClient) => Promise<readonly Candidate[]>);

/** So many jobs and batches are offered, the newest. */
const MOST = 50;

const jobs = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.jobs({}, MOST)).map((job) => ({ value: job.job_id, description: `${job.vm_name}, ${job.status}` }));
const vms = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.jobs({}, MOST)).map((job) => ({ value: job.vm_name, description: job.status }));
const tags = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.jobs({}, MOST)).flatMap((job) => job.tags.map((value) => ({ value })));
const batches = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.batches.list(undefined, MOST)).map((batch) => ({
    value: batch.name ?? batch.batch_id,
    description: batch.status,
  }));
const connections = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.connections.list()).map(({ name, server }) => ({ value: name, description: server }));
const workers = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.workers.list()).map((worker) => ({
    value: worker.worker_id,
    description: `${worker.service}, ${worker.status}`,
  }));
const tokens = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.access.tokens()).map(({ name, role }) => ({ value: name, description: role }));
const letters = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.operations.deadLetters(MOST)).letters.map((letter) => ({
    value: letter.id,
    description: letter.subject,
  }));

/** Those of the configuration. */
const targets = async (client: GatewayClient): Promise<Candidate[]> =>
  (await client.notifications.status()).channels.flatMap((one) =>
    one.targets.map((value) => ({ value, description: one.channel })),
  );

const SETTING_KEYS: Source = { values: SETTINGS.map(({ key }) => key) };

const BY_FLAG: Readonly<Record<string, Source>> = {
  job: jobs,
  vm: vms,
  tag: tags,
  batch: batches,
  vcenter: connections,
  worker: workers,
  context: 'contexts',
  disk: 'files',
  ova: 'files',
  'output-dir': 'folders',
  home: 'folders',
};

/** By command and flag, where the same name means something else. */
const BY_COMMAND_FLAG: Readonly<Record<string, Source>> = {
  'list status': { values: JOB_STATUSES, list: true },
  'notify test to': targets,
  'retry code': { values: ErrorCode.options, list: true },
};

/** By the command's first word and the argument. */
const BY_ARG: Readonly<Record<string, Source>> = {
  'batches batch': batches,
  'vcenter name': connections,
  'token name': tokens,
  'workers worker': workers,
  'pause workers': workers,
  'resume workers': workers,
  'drain workers': workers,
  'dead-letters id': letters,
  'dead-letters ids': letters,
  'autocomplete shell': { values: SHELLS },
  'priority lane': { values: LANES },
  'config key': SETTING_KEYS,
  'config keys': SETTING_KEYS,
  'config name': 'contexts',
  'config context': 'contexts',
};

/** What a new thing is to be called is nothing to be completed. */
const NEW = new Set(['vcenter:add', 'token:create']);

/** Undefined: any text. */
export function sourceOfFlag(command: CommandShape, flag: FlagShape): Source | undefined {
  if (flag.options !== undefined) return { values: flag.options };
  const own = BY_COMMAND_FLAG[`${command.id.replaceAll(':', ' ')} ${flag.name}`];
  if (own !== undefined) return own;
  // Before the names: --batch is a file where VMs are moved, and --vm is none that has a job already.
  const value = String(flag.helpValue ?? '');
  if (/\bFILE\b/.test(value) || /-(file|key)$/.test(flag.name)) return 'files';
  if (/\b(DIR|FOLDER)\b/.test(value)) return 'folders';
  if (flag.name === 'vm' && 'vcenter' in command.flags) return undefined;
  return BY_FLAG[flag.name];
}

export function sourceOfArg(command: CommandShape, name: string, options?: readonly string[]): Source | undefined {
  if (options !== undefined) return { values: options };
  return NEW.has(command.id) ? undefined : BY_ARG[`${command.id.split(':')[0] ?? ''} ${name}`];
}
