import type { Command } from '@oclif/core';
import type { Worker } from '@hyper2kvm/contracts';
import { BaseCommand } from '../base-command.js';
import type { GatewayClient } from '../client.js';
import { plural } from '../format.js';
import type { Duty } from '../workers-api.js';
import { choose } from './choose.js';

/** Workers are told so many at a time: each takes a second to obey at most. */
const AT_ONCE = 8;

export interface Told {
  readonly before: Worker;
  readonly after: Worker;
}

/** A command that tells workers what to do. */
export abstract class DutyCommand<T extends typeof Command> extends BaseCommand<T> {
  /** Tells those that were named. @throws CliError where one is unknown: then nobody was told anything */
  protected async tell(client: GatewayClient, duty: Duty): Promise<Told[]> {
    const { all, daemon } = this.flags as { all: boolean; daemon?: string };
    const { workers } = this.args as { workers?: string[] };
    const ids = [...new Set(workers)];
    const chosen = choose(await client.workers.list(), { ids, all, daemon }, duty);
    const told: Told[] = [];
    for (let at = 0; at < chosen.length; at += AT_ONCE) {
      const some = chosen.slice(at, at + AT_ONCE);
      const now = await Promise.all(some.map(({ worker_id: id }) => client.workers.tell(id, duty)));
      for (const [index, before] of some.entries()) told.push({ before, after: now[index] ?? before });
    }
    return told;
  }
}

/** `3 jobs go on`, or that there is none. */
export const goOn = ({ active_jobs: jobs }: Worker): string =>
  jobs.length === 0 ? 'nothing runs on it' : `${plural(jobs.length, 'job')} ${jobs.length === 1 ? 'goes' : 'go'} on`;

/** How the same workers are named in another command. */
export const naming = (told: readonly Told[], flags: { all?: boolean; daemon?: string | undefined }): string =>
  flags.all === true
    ? '--all'
    : flags.daemon === undefined
      ? told.map(({ after }) => after.worker_id).join(' ')
      : `--daemon ${flags.daemon}`;
