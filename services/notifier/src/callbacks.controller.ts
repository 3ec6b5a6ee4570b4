import { Controller } from '@nestjs/common';
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
import { FactContext, OnFact, type FactOptions } from '@hyper2kvm/runtime';
import { Dispatchers } from './dispatchers.js';

/** Apart from the mails, and many at a time: receivers are other people's, and some are slow or gone. */
const CALLBACKS: FactOptions = { group: 'callbacks', parallel: 256 };

/** The same ends for the receivers that jobs and batches name, at least once. */
@Controller()
export class CallbacksController {
  constructor(private readonly dispatchers: Dispatchers) {}

  @OnFact(jobCompleted, CALLBACKS)
  async completed(@Payload() data: JobCompleted, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
    await this.dispatchers.receivers.dispatch({ kind: 'completed', eventId, time, data }, signal);
  }

  @OnFact(jobFailed, CALLBACKS)
  async failed(@Payload() data: JobFailed, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
    await this.dispatchers.receivers.dispatch({ kind: 'failed', eventId, time, data }, signal);
  }

  @OnFact(jobCancelled, CALLBACKS)
  async cancelled(
    @Payload() data: EventData<typeof jobCancelled>,
    @Ctx() { eventId, time, signal }: FactContext,
  ): Promise<void> {
    await this.dispatchers.receivers.dispatch({ kind: 'cancelled', eventId, time, data }, signal);
  }

  @OnFact(batchCompleted, CALLBACKS)
  async batch(@Payload() data: BatchCompleted, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
    await this.dispatchers.receivers.dispatch({ kind: 'batch', eventId, time, data }, signal);
  }
}
