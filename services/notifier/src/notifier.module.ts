import { Module } from '@nestjs/common';
import { CallbacksController } from './callbacks.controller.js';
import { Dispatchers } from './dispatchers.js';
import { NotifierController } from './notifier.controller.js';

@Module({ controllers: [NotifierController, CallbacksController], providers: [Dispatchers] })
export class NotifierModule {}
