import type { Provider, Type } from '@nestjs/common';
import { NotificationsController } from './notifications.controller.js';
import { NotificationsService } from './notifications.service.js';

export const NOTIFICATIONS_CONTROLLERS: Type[] = [NotificationsController];
export const NOTIFICATIONS_PROVIDERS: Provider[] = [NotificationsService];
