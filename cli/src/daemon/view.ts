import type { Health, Status, Worker } from '@hyper2kvm/contracts';
import type { GatewayClient } from '../lib/client.js';
import { CliError } from '../lib/errors.js';
import { workersOf } from './drain.js';
import type { ManagerReport, ServiceReport } from './manager.js';

/** What the gateway knows that no process tells. */
export interface GatewayView {
  readonly health: Health;
  readonly status: Status;
  readonly workers: readonly Worker[];
}

/** A service with what it works at. */
export interface ServiceView extends ServiceReport {
  readonly worker: Pick<Worker, 'worker_id' | 'status' | 'slots' | 'active_jobs' | 'queue_depth'> | null;
}

/** The whole of `hyperctl daemon status`. */
export interface StatusView extends Omit<ManagerReport, 'manager' | 'services'> {
  readonly manager: ManagerReport['manager'] | 'remote';
  readonly services: readonly ServiceView[];
  /** Messages that wait, by lane; null where the gateway does not say. */
  readonly queue_depth: Status['queue_depth'] | null;
  readonly active_jobs: number | null;
  /** Workers of other machines. */
  readonly other_workers: readonly Worker[];
  /** Why the gateway's part is missing. */
  readonly gateway_error: string | null;
}

export async function viewOf(client: GatewayClient): Promise<GatewayView> {
  const [health, status, workers] = await Promise.all([client.health(), client.status(), client.workers.list()]);
  return { health, status, workers };
}

/** The services of this machine, and the gateway's word where it has one. */
export async function statusOf(report: ManagerReport, client: GatewayClient | undefined): Promise<StatusView> {
  let view: GatewayView | undefined;
  let error: string | null = null;
  try {
    if (client !== undefined) view = await viewOf(client);
  } catch (caught) {
    if (!(caught instanceof CliError)) throw caught;
    error = caught.why ?? caught.message;
  }
  const ours = workersOf(view?.workers ?? [], report);
  return {
    ...report,
    services: report.services.map((service) => {
      const worker = ours.find((one) => one.service === service.name);
      const version = service.name === 'gateway' ? view?.status.version : worker?.version;
      return {
        ...service,
        version: service.version ?? version ?? null,
        worker: worker === undefined ? null : brief(worker),
      };
    }),
    ...gatewayPart(view),
    other_workers: (view?.workers ?? []).filter((one) => !ours.includes(one)),
    gateway_error: error,
  };
}

/** Where nothing of it is on this machine: the gateway speaks for itself and its workers. */
export async function remoteStatus(url: string, client: GatewayClient): Promise<StatusView> {
  const view = await viewOf(client);
  const { health, status, workers } = view;
  const base = { wanted: true, pid: null, port: null, restarts: 0, log: '' };
  return {
    manager: 'remote',
    running: true,
    state: health.status,
    error: null,
    home: null,
    config: null,
    gateway_url: url,
    supervisor_pid: null,
    services: [
      {
        ...base,
        name: 'gateway',
        state: 'running',
        uptime_seconds: status.uptime_seconds,
        version: status.version,
        health: health.status,
        worker: null,
      },
    ],
    ...gatewayPart(view),
    other_workers: workers,
    gateway_error: null,
  };
}

/** Everything runs, is healthy, and nothing is missing. */
export const isWell = (view: StatusView): boolean =>
  view.running &&
  (view.manager === 'remote' || view.state === 'ready') &&
  view.services.every(({ state, health }) => state === 'running' && (health === 'healthy' || health === 'unknown')) &&
  view.services.some(({ health }) => health === 'healthy');

const gatewayPart = (view: GatewayView | undefined) => ({
  queue_depth: view?.status.queue_depth ?? null,
  active_jobs: view?.health.active_jobs ?? null,
});

const brief = ({ worker_id, status, slots, active_jobs, queue_depth }: Worker): ServiceView['worker'] => ({
  worker_id,
  status,
  slots,
  active_jobs,
  queue_depth,
});
