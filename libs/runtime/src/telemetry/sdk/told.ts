import type { Logger } from '../logger.js';

/** What OpenTelemetry's exporters of spans and of logs have in common. */
interface Exporter<Item> {
  export(items: Item[], done: (result: { code: number; error?: Error }) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Of https://opentelemetry.io/docs/specs/otel/trace/sdk/#exportbatch: success. */
const SUCCESS = 0;

/** Says once that nothing can be delivered, and once that it can again. What was lost meanwhile stays lost. */
export class Told<Item> implements Exporter<Item> {
  #isAway = false;

  constructor(
    private readonly inner: Exporter<Item>,
    private readonly what: string,
    private readonly logger: Logger,
  ) {}

  export(items: Item[], done: (result: { code: number; error?: Error }) => void): void {
    this.inner.export(items, (result) => {
      this.#note(result);
      done(result);
    });
  }

  #note({ code, error }: { code: number; error?: Error }): void {
    const isAway = code !== SUCCESS;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    if (isAway)
      this.logger.warn(
        { error: error?.message ?? 'no answer' },
        `${this.what} cannot be delivered: they are dropped until that works again`,
      );
    else this.logger.info(`${this.what} are delivered again`);
  }

  async forceFlush(): Promise<void> {
    await this.inner.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.inner.shutdown();
  }
}
