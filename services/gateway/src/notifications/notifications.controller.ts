import type { NotificationStatus, NotificationTest, NotificationTestRequest } from '@hyper2kvm/contracts';
import { Body, Controller } from '@nestjs/common';
import { Serve } from '../http/route.js';
import { NOTIFICATIONS_ROUTES as ROUTES } from '../http/routes/notifications.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { NotificationsService } from './notifications.service.js';

@Controller()
export class NotificationsController {
  constructor(private readonly service: NotificationsService) {}

  @Serve(ROUTES.notifications)
  status(): Promise<NotificationStatus> {
    return this.service.status();
  }

  @Serve(ROUTES.testNotifications)
  test(@Body(new ZodPipe(ROUTES.testNotifications.body)) body: NotificationTestRequest): Promise<NotificationTest> {
    return this.service.test(body);
  }
}
