import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import {
  notificationStatus,
  testNotifications,
  type NotificationStatus,
  type NotificationTest,
  type NotificationTestRequest,
} from '@hyper2kvm/contracts';
import { OnRequest } from '@hyper2kvm/runtime';
import { Notifications } from './notifications.js';
import { statusOf } from './status.js';
import { tryOut } from './try-out.js';

/** What administrators ask. */
@Controller()
export class RequestsController {
  constructor(@Inject(Notifications) private readonly notifications: Notifications) {}

  @OnRequest(testNotifications)
  async test(@Payload() request: NotificationTestRequest): Promise<NotificationTest> {
    return tryOut(request, this.notifications);
  }

  @OnRequest(notificationStatus)
  async status(): Promise<NotificationStatus> {
    return statusOf(this.notifications);
  }
}
