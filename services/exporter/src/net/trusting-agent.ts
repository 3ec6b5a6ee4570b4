import { Agent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import { CONNECT_TIMEOUT_MS, connectTrusted, type Trust } from './connect.js';

/** An agent of node:https whose connections are checked by `connectTrusted`. */
export class TrustingAgent extends Agent {
  constructor(
    private readonly trust: Trust,
    options: AgentOptions = {},
    private readonly connectTimeoutMs = CONNECT_TIMEOUT_MS,
  ) {
    super({ keepAlive: true, ...options });
  }

  override createConnection(
    options: tls.ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    connectTrusted(this.trust, options, this.connectTimeoutMs).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  }
}
