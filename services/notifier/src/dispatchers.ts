import { Inject, Injectable } from '@nestjs/common';
import { LOGGER, SERVICE_CONFIG, type Logger } from '@hyper2kvm/runtime';
import { OldEmailChannel, OldWebhookChannel } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { Dispatcher } from './dispatcher.js';

/** Who is told on which ways. Each has consumers of its own, so that neither waits for the other. */
@Injectable()
export class Dispatchers {
  readonly people: Dispatcher;
  readonly receivers: Dispatcher;

  constructor(@Inject(SERVICE_CONFIG) config: NotifierConfig, @Inject(LOGGER) logger: Logger) {
    if (config.smtp.host === '') logger.info('notifier.smtp.host is not set: no e-mail is sent');
    if (config.webhook.secret === undefined)
      logger.info('notifier.webhook.secret is not set: callbacks are sent without a signature');
    this.people = new Dispatcher([new OldEmailChannel(config)], logger);
    this.receivers = new Dispatcher([new OldWebhookChannel(config.webhook)], logger);
  }
}
