import { NotificationStatus, NotificationTest, type NotificationTestRequest } from '@hyper2kvm/contracts';
import type { Transport } from './transport.js';

/** The gateway itself waits for 45 s: a mail server takes its time. */
const TEST_MS = 50_000;

/** Who is told of what. A notifier answers; without one the gateway says NO_WORKER. */
export class NotificationsApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  status(): Promise<NotificationStatus> {
    return this.#http.json(NotificationStatus, 'GET', '/api/v1/notifications');
  }

  /** Sends a message that says it is a test. */
  test(body: NotificationTestRequest): Promise<NotificationTest> {
    return this.#http.json(NotificationTest, 'POST', '/api/v1/notifications/test', { body, leastMs: TEST_MS });
  }
}
