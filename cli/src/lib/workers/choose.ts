import { Args, Flags } from '@oclif/core';
import type { Worker } from '@hyper2kvm/contracts';
import { CliError, UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import { printable } from '../format.js';
import { didYouMean, nearest } from '../near.js';
import { DAEMON_FLAG, workingOf } from './daemons.js';

export const WORKERS_ARG = {
  workers: Args.string({
    multiple: true,
    ignoreStdin: true,
    description: 'Ids of workers; hyperctl workers lists them.',
  }),
};
export const FLEET_FLAGS = {
  all: Flags.boolean({ description: 'Every worker that runs.', exclusive: ['daemon'] }),
  daemon: DAEMON_FLAG,
};

export interface Choice {
  readonly ids: readonly string[];
  readonly all: boolean;
  /** A name of one of the services. */
  readonly daemon: string | undefined;
}

/**
 * The workers that are meant, each once, in the order of the fleet. All or none: an id that is unknown stops it all.
 * @throws UsageError where nobody is meant; CliError (exit code 4) where one does not run
 */
export function choose(fleet: readonly Worker[], { ids, all, daemon }: Choice, verb: string): Worker[] {
  if (ids.length > 0 && (all || daemon !== undefined))
    throw new UsageError('ids of workers, or --all, or --daemon: one of them', `hyperctl ${verb} --help`);
  if (ids.length === 0 && !all && daemon === undefined)
    throw new UsageError(
      'which workers?',
      `hyperctl ${verb} WORKER…, --daemon converter or --all; hyperctl workers lists them`,
    );
  for (const id of ids) if (!fleet.some((one) => one.worker_id === id)) throw unknownWorker(id, fleet);
  const service = daemon === undefined ? undefined : workingOf(daemon);
  const chosen = fleet.filter((one) =>
    ids.length > 0 ? ids.includes(one.worker_id) : service === undefined || one.service === service,
  );
  if (chosen.length > 0) return chosen;
  throw new CliError(`no ${service ?? 'worker'} is running`, {
    code: 'NO_WORKER',
    exitCode: EXIT.notFound,
    advice: 'hyperctl daemon status shows what runs on this machine',
  });
}

/** Exit code 4; names what comes near, else who runs. */
export function unknownWorker(id: string, fleet: readonly Worker[]): CliError {
  const names = fleet.map((one) => one.worker_id);
  const some = names.slice(0, 5).join(', ');
  return new CliError(`no worker ${printable(id)} is running${didYouMean(nearest(id, names))}`, {
    code: 'NOT_FOUND',
    exitCode: EXIT.notFound,
    why:
      names.length === 0
        ? 'there is none'
        : `there are: ${some}${names.length > 5 ? `, and ${names.length - 5} more` : ''}`,
    advice: 'hyperctl workers lists them',
  });
}
