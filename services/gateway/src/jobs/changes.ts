import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** No job has this id. */
const ANY = 'any';

/** Wakes those who follow a job in this process. Changes made through another gateway are found by looking. */
@Injectable()
export class JobChanges {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  changed(jobId: string): void {
    this.#emitter.emit(jobId);
    this.#emitter.emit(ANY);
  }

  /** Calls at the change of whichever job. */
  onAny(listener: () => void): void {
    this.#emitter.on(ANY, listener);
  }

  /** Resolves at the next change, after `ms`, or when `signal` aborts; whatever comes first. */
  wait(jobId: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#emitter.off(jobId, done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#emitter.on(jobId, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
