import { Module } from '@nestjs/common';
import { factsControllers } from './facts.controller.js';
import { Notifications } from './notifications.js';
import { RequestsController } from './requests.controller.js';

@Module({ controllers: [...factsControllers(), RequestsController], providers: [Notifications] })
export class NotifierModule {}
