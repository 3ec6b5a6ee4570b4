import type { Health } from '@hyper2kvm/contracts';
import type { ManagerReport, ServiceReport } from '../daemon/manager.js';
import { homeConfigured, resolveHome, stackPaths } from './home.js';
import { isAlive } from './processes.js';
import { health, healthStatus } from './health.js';
import { SERVICES } from './names.js';
import { readState } from './state.js';
import { runningState } from './single.js';

/** What runs of the stack, as processes and as the gateway sees it. */
export async function report(home: string): Promise<ManagerReport> {
  const paths = stackPaths(home);
  const state = readState(paths.state);
  const supervised = state !== undefined && isAlive(state.supervisor);
  if (state === undefined || !supervised) {
    const error =
      state === undefined || state.state === 'stopping' ? null : (state.error ?? 'its supervisor was killed');
    const base = {
      manager: 'local' as const,
      running: false,
      state: 'stopped',
      error,
      home,
      config: paths.config,
      gateway_url: null,
      supervisor_pid: null,
    };
    return { ...base, services: [] };
  }
  const answer = await health(state.gateway_url);
  return {
    manager: 'local',
    running: true,
    state: state.state,
    error: state.error,
    home,
    config: state.config,
    gateway_url: state.gateway_url,
    supervisor_pid: state.supervisor.pid,
    services: await Promise.all(
      Object.entries(state.services).map(async ([name, service]) => {
        const alive = service.process !== null && isAlive(service.process);
        return {
          name,
          wanted: service.wanted,
          state: !alive && service.state === 'running' ? 'restarting' : service.state,
          pid: alive ? (service.process?.pid ?? null) : null,
          uptime_seconds: alive && service.started_at !== null ? secondsSince(service.started_at) : null,
          version: service.version,
          health: alive && service.state === 'running' ? await healthOf(name, service.port, answer) : 'unhealthy',
          port: service.port,
          restarts: service.restarts,
          log: service.log,
        };
      }),
    ),
  };
}

const secondsSince = (time: string): number => Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));

/** The gateway says how it sees database and bus; services say it themselves. */
async function healthOf(
  name: string,
  port: number | null,
  gateway: Health | undefined,
): Promise<ServiceReport['health']> {
  if (SERVICES.some((service) => service === name))
    return (await healthStatus(`http://127.0.0.1:${port}`)) ?? 'unhealthy';
  if (gateway === undefined) return 'unknown';
  return (name === 'nats' ? gateway.nats : gateway.database) === 'ok' ? 'healthy' : 'unhealthy';
}

/**
 * The gateway of a local stack: of the first home whose stack runs, else of a home that HYPER2KVM_HOME names. What listens on the
 * usual port is somebody else's then. Undefined when there is none.
 */
export function localGateway(homes: readonly string[], env: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const home of homes) {
    const url = runningState(home)?.gateway_url ?? '';
    if (url !== '') return url;
  }
  const listen = (env['HYPER2KVM_HOME'] ?? '') === '' ? undefined : homeConfigured(resolveHome(undefined, env));
  return listen === undefined ? undefined : `http://${listen.replace(/^(0\.0\.0\.0|\[::\]):/, '127.0.0.1:')}`;
}
