import { Args } from '@oclif/core';
import { BatchId, JobId } from '@hyper2kvm/contracts';
import type { GatewayClient } from './client.js';
import { CliError, UsageError } from './errors.js';
import { EXIT } from './exit-codes.js';
import { printable } from './format.js';
import { didYouMean, nearest } from './near.js';

/** Which batch: its id, or a name, of which the newest batch is meant. */
export const BATCH_ARG = {
  batch: Args.string({ description: 'Id of the batch, or its name: the newest of this name.', ignoreStdin: true }),
};

/** @throws UsageError when none was given; CliError (exit code 4) when there is none of that name */
export async function findBatch(client: GatewayClient, batch: string | undefined): Promise<string> {
  if (batch === undefined || batch === '')
    throw new UsageError('which batch? Give its id or its name', 'hyperctl batches list shows the batches');
  if (BatchId.safeParse(batch).success) return batch;
  if (JobId.safeParse(batch).success)
    throw new UsageError(`"${batch}" is the id of a job, not of a batch`, `hyperctl status --job ${batch}`);
  const all = await client.batches.list(undefined);
  const found = all.find(({ name }) => name === batch);
  if (found !== undefined) return found.batch_id;
  const near = nearest(
    batch,
    all.flatMap(({ name }) => (name === null ? [] : [printable(name)])),
  );
  throw new CliError(`there is no batch named ${batch}${didYouMean(near)}`, {
    code: 'BATCH_NOT_FOUND',
    exitCode: EXIT.notFound,
    advice: 'hyperctl batches list shows the batches',
  });
}
