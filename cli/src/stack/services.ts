import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../lib/errors.js';
import type { StackConfig } from './config-file.js';
import type { StackPaths } from './home.js';
import type { ServiceName } from './names.js';
import { healthStatus } from './health.js';
import type { ServiceSpec } from './supervise.js';

/** Beyond what a service is given to hand its work back. */
const STOP_MARGIN_MS = 20_000;

/** As an installed package, else as a neighbour in the checkout. */
function locate(name: ServiceName): string {
  const candidates = [new URL(`../../../services/${name}/dist/main.js`, import.meta.url)];
  try {
    candidates.unshift(new URL('main.js', import.meta.resolve(`@hyper2kvm/${name}`)));
  } catch {
    // Not installed as a package.
  }
  const files = candidates.map((url) => fileURLToPath(url));
  const found = files.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new CliError(`the service ${name} is not built: ${files[0]} is missing`, { advice: 'npm run build' });
}

export function serviceSpec(name: ServiceName, paths: StackPaths, config: StackConfig): ServiceSpec {
  const main = locate(name);
  const { version } = JSON.parse(readFileSync(path.join(path.dirname(main), '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const port = name === 'gateway' ? config.gateway.port : (config.workers[name] ?? 0);
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', main],
    env: { HYPER2KVM_CONFIG: paths.config, OTEL_SERVICE_NAME: name },
    version,
    port,
    isReady: async () => (await healthStatus(`http://127.0.0.1:${port}`)) !== undefined,
    stopSignal: 'SIGTERM',
    stopLimitMs: config.graceSeconds * 1000 + STOP_MARGIN_MS,
  };
}
