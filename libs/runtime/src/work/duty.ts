import type { Bus } from '../bus/bus.js';
import { followControl } from '../bus/control.js';

/** What a worker was told: to take work, to take nothing new, or to end what it has before it is stopped. */
export type Duty = 'running' | 'paused' | 'draining';

const keyOf = (service: string, workerId: string): string => `worker.${service}.${workerId}`;
/** A key that is not there, or was deleted, is one of a worker that runs. */
const readDuty = (value: string): Duty => (value === 'paused' || value === 'draining' ? value : 'running');

/** Tells a worker; it obeys at once, or when it is started. */
export async function setDuty(bus: Bus, service: string, workerId: string, duty: Duty): Promise<void> {
  const { control } = bus.buckets;
  if (duty === 'running') await control.delete(keyOf(service, workerId));
  else await control.put(keyOf(service, workerId), duty);
}

/**
 * What this worker was told, in the bucket `control` under `worker.<service>.<worker id>`. It outlives the worker, however that
 * ends, and NATS; but a worker that was stopped while it drained was stopped for good: the next one begins to work.
 */
export class WorkerDuty {
  #duty: Duty = 'running';
  readonly #stop = new AbortController();
  readonly #listeners: (() => void)[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly service: string,
    private readonly workerId: string,
  ) {}

  get current(): Duty {
    return this.#duty;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Once it returned, `current` is true; from then on changes are told. */
  async start(): Promise<void> {
    const { bus, service, workerId } = this;
    const key = keyOf(service, workerId);
    const entry = await bus.buckets.control.get(key);
    this.#become(entry?.operation === 'PUT' ? entry.string() : '');
    void followControl(bus.connection, bus.js, key, this.#stop.signal, (_, value) => this.#become(value));
  }

  /** To be called when the work has ended. Without NATS the mark stays: better that than work which nobody expects. */
  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#duty !== 'draining' || this.bus.status() !== 'connected') return;
    const key = keyOf(this.service, this.workerId);
    const { control } = this.bus.buckets;
    try {
      const entry = await control.get(key);
      if (entry !== null && readDuty(entry.string()) === 'draining')
        await control.delete(key, { previousSeq: entry.revision });
    } catch {
      // NATS went away, or it was told something else just now.
    }
  }

  #become(value: string): void {
    const duty = readDuty(value);
    if (duty === this.#duty) return;
    this.#duty = duty;
    for (const listener of this.#listeners) listener();
  }
}
