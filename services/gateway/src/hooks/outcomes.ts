import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** Tells those in this process that wait for hooks of an end. Those of other gateways are found by looking. */
@Injectable()
export class HookOutcomes {
  readonly #emitter = new EventEmitter();

  ended(): void {
    this.#emitter.emit('ended');
  }

  onEnded(listener: () => void): void {
    this.#emitter.on('ended', listener);
  }
}
