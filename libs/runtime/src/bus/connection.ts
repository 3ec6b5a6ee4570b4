import { connect, Events, type ConnectionOptions, type NatsConnection } from 'nats';
import type { BaseConfig } from '../config/base.js';
import type { Logger } from '../telemetry/logger.js';
import { natsReconnects } from '../telemetry/runtime-metrics.js';
import { natsOptions } from './options.js';

/**
 * Connects, and stays connected: the client's defaults give up for good after 20 s without a server.
 * Waits up to `waitMs` for the first connection, so that services may be started in any order.
 */
export async function connectNats(
  config: BaseConfig['nats'],
  name: string,
  logger: Logger,
  waitMs = 60_000,
): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    ...natsOptions(config, name),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    pingInterval: 3_000,
    maxPingOut: 2,
    timeout: 5_000,
    // Otherwise two refused log-ins (a server that is being reconfigured) close the connection for good.
    ignoreAuthErrorAbort: true,
  };
  const deadline = performance.now() + waitMs;
  const where = config.servers.map((server) => server.replace(/^(\w+:\/\/)?.*@/, '$1')).join(', ');
  let told = false;
  for (;;) {
    try {
      const connection = await connect(options);
      void watch(connection, logger);
      return connection;
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`NATS cannot be reached at ${where}: ${(error as Error).message}`, { cause: error });
      if (!told) logger.warn({ error: (error as Error).message }, `waiting for NATS at ${where}`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function watch(connection: NatsConnection, logger: Logger): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === Events.Disconnect) logger.warn({ server: status.data }, 'NATS: connection lost, trying again');
    if (status.type === Events.Reconnect) {
      natsReconnects.inc();
      logger.info({ server: status.data }, 'NATS: connected again');
    }
    if (status.type === Events.Error) logger.warn({ error: status.data }, 'NATS: error');
  }
}
