import { NotificationStatus, NotificationTest, NotificationTestRequest } from '@hyper2kvm/contracts';
import type { Route } from '../route.js';

/** Who is told, and whether it arrives; a notifier answers. */
export const NOTIFICATIONS_ROUTES = {
  notifications: {
    method: 'GET',
    path: '/api/v1/notifications',
    summary: 'Who is told of what, and which messages wait',
    tag: 'notifications',
    status: 200,
    answer: NotificationStatus,
    errors: ['NO_WORKER'],
  },
  testNotifications: {
    method: 'POST',
    path: '/api/v1/notifications/test',
    summary: 'Send a message that says it is a test, to every configured target or to one',
    tag: 'notifications',
    body: NotificationTestRequest,
    status: 200,
    answer: NotificationTest,
    errors: ['BAD_REQUEST', 'NO_WORKER'],
  },
} as const satisfies Record<string, Route>;
