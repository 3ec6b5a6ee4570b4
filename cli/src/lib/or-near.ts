import { CliError, GatewayProblem } from './errors.js';
import { didYouMean, nearest } from './near.js';

/**
 * What `ask` gives; where the gateway knows nothing of this name, its refusal names those that come near.
 * @param names of what there is; where they cannot be read, the refusal is told as it is
 */
export async function orNear<T>(
  name: string,
  ask: () => Promise<T>,
  names: () => Promise<readonly string[]>,
  advice: string,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof GatewayProblem) || error.code !== 'NOT_FOUND') throw error;
    const { code, exitCode, why, traceId } = error;
    const near = didYouMean(nearest(name, await names().catch(() => [])));
    // The detail has the name, the title alone has not.
    const message = (why ?? error.message).replace(/\.$/, '');
    throw new CliError(`${message}${near}`, { code, exitCode, advice, traceId });
  }
}
