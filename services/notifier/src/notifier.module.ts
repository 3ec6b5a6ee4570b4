import { Module } from '@nestjs/common';
import { LOGGER, SERVICE_CONFIG, type Logger } from '@hyper2kvm/runtime';
import { EmailChannel } from './channels/index.js';
import type { NotifierConfig } from './config.js';
import { Dispatcher } from './dispatcher.js';
import { NotifierController } from './notifier.controller.js';

@Module({
  controllers: [NotifierController],
  providers: [
    {
      provide: Dispatcher,
      inject: [SERVICE_CONFIG, LOGGER],
      useFactory: (config: NotifierConfig, logger: Logger) => {
        if (config.smtp.host === '') logger.info('notifier.smtp.host is not set: no e-mail is sent');
        return new Dispatcher([new EmailChannel(config)], logger);
      },
    },
  ],
})
export class NotifierModule {}
