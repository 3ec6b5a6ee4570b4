import { InjectLogger, type Logger } from '@hyper2kvm/runtime';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { Caller } from '../http/caller.js';
import { Tokens } from './tokens.js';

const LOOK_EVERY_MS = 2000;

/** Answers that go on for hours end soon after their token does. */
@Injectable()
export class Followers implements OnModuleInit, OnModuleDestroy {
  readonly #open = new Map<ServerResponse, Caller>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tokens: Tokens,
    @InjectLogger() private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  watch(response: ServerResponse, caller: Caller): void {
    this.#open.set(response, caller);
    response.once('close', () => this.#open.delete(response));
  }

  async #look(): Promise<void> {
    if (this.#open.size === 0) return;
    try {
      const gone = await this.tokens.gone([...this.#open.values()]);
      for (const [response, { name }] of this.#open) if (gone.has(name)) response.destroy();
    } catch (error) {
      this.logger.warn({ err: error }, 'the tokens of followers could not be looked at');
    }
  }
}
