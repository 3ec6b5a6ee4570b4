import { Worker, WorkerList } from '@hyper2kvm/contracts';
import type { Transport } from './transport.js';

/** What may be asked of a worker. */
export type Duty = 'pause' | 'resume' | 'drain';

/** Exporters and converters that run. */
export class WorkersApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  /** Exporters first, as a VM meets them. */
  async list(): Promise<readonly Worker[]> {
    return (await this.#http.json(WorkerList, 'GET', '/api/v1/workers')).workers;
  }

  /** It is told by a mark that outlives it: a paused worker stays paused when it is started anew. */
  tell(id: string, duty: Duty): Promise<Worker> {
    return this.#http.json(Worker, 'POST', `/api/v1/workers/${encodeURIComponent(id)}/${duty}`);
  }
}
