import type { Logger } from '@hyper2kvm/runtime';
import type { JobChanges } from '../jobs/index.js';

const RESUME_MS = 1000;

/** Goes on following while the client is there: a consumer that broke (NATS restarted) is made anew. */
export async function again(
  tools: { readonly changes: JobChanges; readonly logger: Logger; readonly signal: AbortSignal },
  follow: () => Promise<void>,
): Promise<void> {
  while (!tools.signal.aborted) {
    try {
      await follow();
    } catch (error) {
      tools.logger.debug({ err: error }, 'following is resumed');
    }
    await tools.changes.wait('', RESUME_MS, tools.signal);
  }
}
