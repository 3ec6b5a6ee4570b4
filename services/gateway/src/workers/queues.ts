import {
  ANY_POOL,
  cleanupRequested,
  conversionRequested,
  exportRequested,
  hookRequested,
  importRequested,
  laneStream,
  LANES,
  verifyRequested,
  type CommandDefinition,
  type StreamName,
  type WorkerHeartbeat,
} from '@hyper2kvm/contracts';
import type { Bus } from '@hyper2kvm/runtime';

/** What the workers of each service take from their queues. Other services take nothing, and are no workers. */
const TAKEN: Readonly<Record<string, readonly CommandDefinition[]>> = {
  exporter: [exportRequested, cleanupRequested, hookRequested],
  converter: [conversionRequested, verifyRequested, importRequested],
};

export const isWorker = ({ service }: Pick<WorkerHeartbeat, 'service'>): boolean => Object.hasOwn(TAKEN, service);

/** Messages that wait, by command and pool: `task.verify any`. */
export type Depths = ReadonlyMap<string, number>;

const keyOf = (command: string, pool: string): string => `${command} ${pool}`;

/** What waits in the queues of all workers. A message that a worker has does not wait. */
export async function readDepths(bus: Bus): Promise<Depths> {
  const commands = Object.values(TAKEN).flat();
  const streams = new Set(
    commands.flatMap((command): StreamName[] =>
      command.stream === 'by lane' ? LANES.map((lane) => laneStream(command.name, lane)) : [command.stream],
    ),
  );
  const depths = new Map<string, number>();
  for (const stream of streams) {
    for await (const { config, num_pending: waiting } of bus.jsm.consumers.list(stream)) {
      // `export.requested.high.any.>`, `task.verify.any.>`
      const filter = config.filter_subject ?? '';
      const command = commands.find(({ name }) => filter.startsWith(`${name}.`));
      if (command === undefined) continue;
      const key = keyOf(command.name, filter.split('.').at(-2) ?? ANY_POOL);
      depths.set(key, (depths.get(key) ?? 0) + waiting);
    }
  }
  return depths;
}

/** What waits in the queues from which this worker takes. */
export const waitingFor = (worker: WorkerHeartbeat, depths: Depths): number =>
  (TAKEN[worker.service] ?? [])
    .flatMap(({ name }) => worker.pools.map((pool) => depths.get(keyOf(name, pool)) ?? 0))
    .reduce((sum, waiting) => sum + waiting, 0);
