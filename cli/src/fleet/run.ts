import type { GatewayClient } from '../lib/client.js';
import { CliError, GatewayProblem } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { printable } from '../lib/format.js';
import { draw, pageOf, settled } from './draw/index.js';
import { onKey, type Effect, type Key } from './keys.js';
import { Looker } from './look.js';
import type { Action, Model } from './model.js';
import { reduce, type FleetEvent } from './reduce.js';
import { FleetTerminal } from './terminal.js';

/** The gateway is asked for a tenth of the time at most, however large the fleet. */
const PAUSES_PER_LOOK = 10;
/** One that is gone is not asked more often than this. */
const LOST_MS = 2_000;
const TICK_MS = 1_000;

export interface FleetOptions {
  readonly client: GatewayClient;
  readonly model: Model;
  /** At least so long between two looks. */
  readonly intervalMs: number;
  readonly color: boolean;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/**
 * Shows the fleet until the user leaves. A gateway that goes away is waited for, all night long.
 * @throws CliError when the gateway does not take the token any more
 */
export const runFleet = (options: FleetOptions): Promise<ExitCode> => new Fleet(options).run();

class Fleet {
  #model: Model;
  readonly #looker: Looker;
  readonly #terminal: FleetTerminal;
  #left: ExitCode = EXIT.ok;
  #leaving = false;
  #go: () => void = () => {};
  #fail: (error: unknown) => void = () => {};
  readonly #gone = new Promise<void>((resolve, reject) => {
    this.#go = resolve;
    this.#fail = reject;
  });
  /** Ends the pause between two looks. */
  #wake: () => void = () => {};
  #again = false;

  constructor(private readonly options: FleetOptions) {
    const { input, output, client, model } = options;
    this.#model = model;
    this.#looker = new Looker(client);
    this.#terminal = new FleetTerminal({
      input,
      output,
      onKey: (key) => this.#safely(() => this.#pressed(key)),
      onResize: () => this.#safely(() => this.#draw()),
      onGone: () => this.#end(EXIT.interrupted),
    });
  }

  async run(): Promise<ExitCode> {
    const stop = (): void => this.#end(EXIT.interrupted);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, stop);
    const ticks = setInterval(() => this.#safely(() => this.#dispatch({ type: 'tick' })), TICK_MS);
    this.#terminal.open();
    try {
      this.#draw();
      // Whoever leaves does not wait for an answer.
      await Promise.race([this.#looks(), this.#gone]);
      return this.#left;
    } finally {
      clearInterval(ticks);
      this.#terminal.close();
      for (const signal of signals) process.off(signal, stop);
    }
  }

  #end(code: ExitCode): void {
    this.#left = code;
    this.#leaving = true;
    this.#wake();
    this.#go();
  }

  /** An error of a handler is told after the terminal was given back, as every other one. */
  #safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#leaving = true;
      this.#fail(error);
    }
  }

  async #looks(): Promise<void> {
    const { intervalMs } = this.options;
    while (!this.#leaving) {
      const begin = performance.now();
      this.#again = false;
      const lost = await this.#look();
      const took = performance.now() - begin;
      const least = lost ? Math.max(LOST_MS, intervalMs) : Math.max(intervalMs, took * PAUSES_PER_LOOK);
      if (!this.#again && !this.#leaving) await this.#pause(least);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** @returns true when the gateway did not answer */
  async #look(): Promise<boolean> {
    try {
      const { scope } = this.#model;
      this.#dispatch({ type: 'asked' });
      const look = await this.#looker.look(this.#model, this.#page);
      // Meanwhile other jobs are meant.
      if (this.#model.scope !== scope) return false;
      if (this.#model.trouble !== null) this.#looker.forget();
      this.#dispatch({ type: 'looked', look });
      return false;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      if (isRefused(error)) throw error;
      const health = error instanceof GatewayProblem ? await this.#looker.health() : undefined;
      this.#dispatch({ type: 'trouble', message: troubleOf(error), ...(health === undefined ? {} : { health }) });
      return true;
    }
  }

  #lookNow(): void {
    this.#again = true;
    this.#wake();
  }

  get #page(): number {
    return pageOf(this.#model, this.#terminal.size);
  }

  #dispatch(event: FleetEvent): void {
    this.#model = reduce(this.#model, event, Date.now());
    this.#draw();
  }

  #draw(): void {
    const { size } = this.#terminal;
    this.#terminal.draw(draw(this.#model, size, this.options.color));
  }

  #pressed(key: Key): void {
    const { model, effect } = onKey(this.#model, key, this.#page);
    this.#model = settled(model, this.#terminal.size);
    if (effect !== undefined) this.#do(effect);
    this.#draw();
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case 'look':
        this.#lookNow();
        return;
      case 'act':
        void this.#act(effect.action);
        return;
      case 'redraw':
        this.#terminal.forget();
        return;
      case 'suspend':
        this.#terminal.suspend();
        return;
      case 'quit':
        this.#end(effect.interrupted ? EXIT.interrupted : EXIT.ok);
    }
  }

  /** A refusal is told in the last line: it is no reason to leave. */
  async #act(action: Action): Promise<void> {
    this.#dispatch({ type: 'told', text: 'Asking the gateway...', tone: 'plain' });
    try {
      const text = await act(this.options.client, action);
      this.#dispatch({ type: 'told', text, tone: 'good' });
    } catch (error) {
      const text = error instanceof CliError ? refusal(error) : String(error);
      this.#dispatch({ type: 'told', text: printable(text), tone: 'bad' });
    }
    this.#looker.forget();
    this.#lookNow();
  }
}

async function act(client: GatewayClient, action: Action): Promise<string> {
  switch (action.kind) {
    case 'cancel':
      await client.cancel(action.jobId);
      return `${printable(action.vm)} (${action.jobId}) is cancelled.`;
    case 'retry': {
      const { status } = await client.retry(action.jobId, {});
      return `${printable(action.vm)} (${action.jobId}) is ${status} again.`;
    }
    case 'pause':
    case 'resume': {
      const { status } = await client.workers.tell(action.worker, action.kind);
      return `${printable(action.worker)} is ${status}.`;
    }
  }
}

/** Nothing that was asked would be answered any more. */
const isRefused = (error: CliError): boolean =>
  error instanceof GatewayProblem && (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN');

const refusal = ({ message, why, code }: CliError): string => `${why ?? message} (${code})`;

const troubleOf = ({ message, why }: CliError): string => (why === undefined ? message : why);
