import { readFileSync } from 'node:fs';
import { credsAuthenticator, type ConnectionOptions } from 'nats';
import type { BaseConfig } from '../config/base.js';

/** Where the servers are, and who comes. */
export const natsOptions = (config: BaseConfig['nats'], name: string): ConnectionOptions => ({
  servers: config.servers,
  name,
  ...(config.user === undefined ? {} : { user: config.user }),
  ...(config.password === undefined ? {} : { pass: config.password }),
  ...(config.token === undefined ? {} : { token: config.token }),
  ...(config.ca_file === undefined ? {} : { tls: { caFile: config.ca_file } }),
  ...(config.creds_file === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(config.creds_file)) }),
});
