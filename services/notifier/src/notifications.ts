import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { batchCompleted } from '@hyper2kvm/contracts';
import { Bus, LOGGER, SERVICE_CONFIG, type Logger } from '@hyper2kvm/runtime';
import { Aside } from './aside.js';
import { EmailChannel, SlackChannel, WebhookChannel, type Channel, type ChannelName } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { isThrough } from './consumers.js';
import type { BatchFact, OutcomeFact } from './fact.js';
import { Flusher } from './flusher.js';
import { showHeld } from './metrics.js';
import { Templates } from './messages/index.js';
import { Pipeline } from './pipeline.js';
import { QuietClock } from './rules/index.js';
import { Deliveries, Held, Records } from './state/index.js';

/** Everything that the service consists of, put together. */
@Injectable()
export class Notifications implements OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy {
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  readonly held: Held;
  readonly quiet: QuietClock | undefined;
  readonly #pipelines: ReadonlyMap<ChannelName, Pipeline>;
  readonly #flusher: Flusher;

  constructor(
    @Inject(SERVICE_CONFIG) readonly config: NotifierConfig,
    @Inject(LOGGER) log: Logger,
    readonly bus: Bus,
  ) {
    if (config.smtp.host === '') log.info('notifier.smtp.host is not set: no e-mail is sent');
    if (config.webhook.secret === undefined)
      log.info('notifier.webhook.secret is not set: callbacks are sent without a signature');
    const channels = openChannels(config);
    const records = new Records(bus);
    const deliveries = new Deliveries(records);
    const held = new Held(records);
    const quiet = config.quiet_hours === undefined ? undefined : new QuietClock(config.quiet_hours);
    const placeOf = async ({ data }: BatchFact): Promise<number> => bus.place(batchCompleted, data.batch_id);
    this.channels = new Map(channels.map((channel) => [channel.name, channel]));
    this.held = held;
    this.quiet = quiet;
    this.#pipelines = new Map(
      channels.map((channel) => [
        channel.name,
        new Pipeline({ channel, config, deliveries, held, quiet, log, placeOf }),
      ]),
    );
    const aside = new Aside(bus, held, deliveries, log);
    this.#flusher = new Flusher({
      channels: this.channels,
      config,
      held,
      quiet,
      log,
      isThrough: async (...asked) => isThrough(bus, ...asked),
      putAside: async (...refused) => aside.put(...refused),
    });
    showHeld(held);
  }

  onApplicationBootstrap(): void {
    this.#flusher.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#flusher.stop();
  }

  onApplicationShutdown(): void {
    for (const channel of this.channels.values()) channel.close?.();
  }

  /** See Pipeline.handle. */
  async handle(channel: ChannelName, fact: OutcomeFact, signal: AbortSignal): Promise<void> {
    await this.#pipelines.get(channel)?.handle(fact, signal);
  }
}

function openChannels({ slack, smtp, templates_dir, webhook }: NotifierConfig): Channel[] {
  const templates = Templates.load(templates_dir);
  return [
    new EmailChannel(smtp, templates),
    new SlackChannel({ ...slack, allow_urls: webhook.allow_urls, timeout_seconds: webhook.timeout_seconds }, templates),
    new WebhookChannel(webhook),
  ];
}
