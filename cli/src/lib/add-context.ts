import type { GatewayClient } from './client.js';
import type { CliError } from './errors.js';
import { shellQuote } from './format.js';
import { addNearIds } from './near-jobs.js';
import type { Settings } from './settings.js';

/** Adds to an error what the command knows and the gateway does not: the id that was probably meant, the vCenter's name. */
export async function addContext(
  error: CliError,
  settings: Settings,
  flags: object,
  client: () => GatewayClient,
): Promise<void> {
  const { job } = flags as { job?: unknown };
  try {
    if (error.code === 'JOB_NOT_FOUND' && typeof job === 'string') await addNearIds(error, client(), job);
    const { server } = settings.vcenter;
    if (server !== undefined) error.advice = error.advice?.replaceAll('<vcenter>', shellQuote(server));
  } catch {
    // What is to be told is the first error, not that no more was found out about it.
  }
}
