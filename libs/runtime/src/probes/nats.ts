import { connect } from 'nats';
import { natsOptions } from '../bus/options.js';
import type { BaseConfig } from '../config/base.js';

/** What a NATS server says of itself and of the account that asks. Sizes in bytes. */
export interface NatsReport {
  readonly server: string;
  readonly version: string;
  /** Why JetStream cannot be used; undefined where it can. */
  readonly jetstreamProblem: string | undefined;
  readonly streams: number;
  readonly storageBytes: number;
  /** Of the account; undefined is no limit. */
  readonly storageLimitBytes: number | undefined;
}

/** Connects once, asks, and leaves. @throws Error when nobody answers within `timeoutMs`, or the login is refused */
export async function probeNats(config: BaseConfig['nats'], timeoutMs: number): Promise<NatsReport> {
  const connection = await connect({
    ...natsOptions(config, 'hyperctl-doctor'),
    timeout: timeoutMs,
    reconnect: false,
    maxReconnectAttempts: 0,
  });
  try {
    const base = { server: connection.getServer(), version: connection.info?.version ?? 'unknown' };
    try {
      const account = await (await connection.jetstreamManager({ timeout: timeoutMs })).getAccountInfo();
      const { max_storage: limit } = account.limits;
      return {
        ...base,
        jetstreamProblem: undefined,
        streams: account.streams,
        storageBytes: account.storage,
        storageLimitBytes: limit < 0 ? undefined : limit,
      };
    } catch (error) {
      const why = (error as Error).message;
      const none = { streams: 0, storageBytes: 0, storageLimitBytes: undefined };
      return { ...base, ...none, jetstreamProblem: /503|no responders/i.test(why) ? 'it is not enabled' : why };
    }
  } finally {
    await connection.close();
  }
}
