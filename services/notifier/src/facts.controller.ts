import { Controller, type Type } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  batchCompleted,
  jobCancelled,
  jobCompleted,
  jobFailed,
  type BatchCompleted,
  type EventData,
  type JobCompleted,
  type JobFailed,
} from '@hyper2kvm/contracts';
import { FactContext, OnFact } from '@hyper2kvm/runtime';
import type { ChannelName } from './channels/index.js';
import { TAKEN } from './consumers.js';
import { Notifications } from './notifications.js';

/**
 * The ends of jobs and batches for one channel, at least once. What it throws decides: a JobError puts the fact aside, anything else
 * brings it back later.
 */
function factsFor(channel: ChannelName): Type {
  const how = TAKEN[channel];

  @Controller()
  class FactsController {
    constructor(private readonly notifications: Notifications) {}

    @OnFact(jobCompleted, how)
    async completed(@Payload() data: JobCompleted, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
      await this.notifications.handle(channel, { kind: 'completed', eventId, time, data }, signal);
    }

    @OnFact(jobFailed, how)
    async failed(@Payload() data: JobFailed, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
      await this.notifications.handle(channel, { kind: 'failed', eventId, time, data }, signal);
    }

    @OnFact(jobCancelled, how)
    async cancelled(
      @Payload() data: EventData<typeof jobCancelled>,
      @Ctx() { eventId, time, signal }: FactContext,
    ): Promise<void> {
      await this.notifications.handle(channel, { kind: 'cancelled', eventId, time, data }, signal);
    }

    @OnFact(batchCompleted, how)
    async batch(@Payload() data: BatchCompleted, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
      await this.notifications.handle(channel, { kind: 'batch', eventId, time, data }, signal);
    }
  }
  return FactsController;
}

export const factsControllers = (): Type[] => Object.keys(TAKEN).map((channel) => factsFor(channel as ChannelName));
