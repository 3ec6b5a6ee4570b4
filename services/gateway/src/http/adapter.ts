import { readFileSync } from 'node:fs';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { GatewayConfig } from '../config.js';

/** A request carries one VM's settings and a CA at most. */
const BODY_LIMIT_BYTES = 1024 * 1024;

export function httpAdapter(config: GatewayConfig): FastifyAdapter {
  const common = {
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: config.behind_proxy,
    // Followers stay connected for hours; a stop must not wait for them.
    forceCloseConnections: true,
  };
  if (config.tls === undefined) return new FastifyAdapter(common);
  const https = { cert: readFileSync(config.tls.cert_file), key: readFileSync(config.tls.key_file) };
  return new FastifyAdapter({ ...common, https });
}
