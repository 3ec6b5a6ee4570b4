/** A stand-in for the notifier that answers what the gateway asks, over the real NATS through the real runtime. */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload, type MicroserviceOptions } from '@nestjs/microservices';
import {
  notificationStatus,
  testNotifications,
  type NotificationStatus,
  type NotificationTest,
  type NotificationTestRequest,
} from '@hyper2kvm/contracts';
import { createLogger, JetStreamStrategy, OnRequest, openBus } from '@hyper2kvm/runtime';

/** It has one address. */
const STATUS: NotificationStatus = {
  channels: [
    { channel: 'email', configured: true, targets: ['ops@example.com'], held: 2, waiting: 0 },
    { channel: 'slack', configured: false, targets: [], held: 0, waiting: 0 },
    { channel: 'webhook', configured: false, targets: [], held: 0, waiting: 1 },
  ],
  rules: [{ name: 'failures', summary: 'job.failed to email ops@example.com' }],
  quiet_hours: null,
  quiet_until: null,
};

/** Starts it; the result stops it. */
export async function startNotifier(
  servers: string[],
  answer: (request: NotificationTestRequest) => NotificationTest = ({ channel = 'email', to = 'ops@example.com' }) => ({
    results: [{ channel, target: to, delivered: true, message: '250 queued', duration_seconds: 0.1 }],
  }),
): Promise<() => Promise<void>> {
  const logger = createLogger('stand-in', 'silent');
  const ids = { service: 'notifier', workerId: 'notifier-1' };
  const { bus, claims, close } = await openBus({ nats: { servers, replicas: 1 }, ...ids, logger });
  @Controller()
  class NotifierController {
    @OnRequest(notificationStatus)
    async status(): Promise<NotificationStatus> {
      return STATUS;
    }
    @OnRequest(testNotifications)
    async test(@Payload() request: NotificationTestRequest): Promise<NotificationTest> {
      return answer(request);
    }
  }
  @Module({ controllers: [NotifierController] })
  class NotifierModule {}
  const strategy = new JetStreamStrategy({ bus, claims, logger, ...ids, pools: ['any'], slots: 1, graceMs: 0 });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(NotifierModule, { strategy, logger: false });
  await app.listen();
  return async () => {
    await app.close();
    await close();
  };
}
