import { JobError } from '@hyper2kvm/contracts';
import { namesLinkLocal } from '@hyper2kvm/runtime';

/** Who is to hear of an end. */
interface Receivers {
  readonly callback_url?: string | undefined;
  readonly slack_webhook?: string | undefined;
}

/**
 * Link-local addresses are refused when they are asked for, not in the night when the job ends.
 * @param place of the fields in the request: `options.`
 * @throws JobError BAD_REQUEST naming the field
 */
export function assertReceivers(wish: Receivers, place = 'options.'): void {
  for (const field of ['callback_url', 'slack_webhook'] as const) {
    const address = wish[field];
    if (address !== undefined && namesLinkLocal(address))
      throw new JobError(
        'BAD_REQUEST',
        `${place}${field}: ${new URL(address).host} is a link-local address, nothing is ever sent there.`,
      );
  }
}
