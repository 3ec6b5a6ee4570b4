import {
  JobError,
  notificationStatus,
  testNotifications,
  type NotificationStatus,
  type NotificationTest,
  type NotificationTestRequest,
} from '@hyper2kvm/contracts';
import { Bus, namesLinkLocal } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';

/** Asks a notifier: its configuration is known to it alone. */
@Injectable()
export class NotificationsService {
  constructor(private readonly bus: Bus) {}

  /** @throws JobError NO_WORKER */
  status(): Promise<NotificationStatus> {
    return this.bus.request(notificationStatus, {});
  }

  /** @throws JobError BAD_REQUEST naming the field, NO_WORKER */
  async test(request: NotificationTestRequest): Promise<NotificationTest> {
    const { channel, to } = request;
    if (to !== undefined && channel === undefined)
      throw new JobError('BAD_REQUEST', 'to: needs channel, which says how it is reached.');
    if (to !== undefined && URL.canParse(to) && namesLinkLocal(to))
      throw new JobError('BAD_REQUEST', `to: ${new URL(to).host} is a link-local address, nothing is ever sent there.`);
    return this.bus.request(testNotifications, request);
  }
}
