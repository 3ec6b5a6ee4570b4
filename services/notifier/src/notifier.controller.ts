import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  batchCompleted,
  jobCompleted,
  jobFailed,
  type BatchCompleted,
  type JobCompleted,
  type JobFailed,
} from '@hyper2kvm/contracts';
import { FactContext, OnFact } from '@hyper2kvm/runtime';
import { Dispatchers } from './dispatchers.js';

/**
 * The ends of jobs and batches for people, at least once. What this throws decides: a JobError puts the fact aside, anything else
 * brings it back later.
 */
@Controller()
export class NotifierController {
  constructor(private readonly dispatchers: Dispatchers) {}

  @OnFact(jobCompleted)
  async completed(@Payload() data: JobCompleted, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
    await this.dispatchers.people.dispatch({ kind: 'completed', eventId, time, data }, signal);
  }

  @OnFact(jobFailed)
  async failed(@Payload() data: JobFailed, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
    await this.dispatchers.people.dispatch({ kind: 'failed', eventId, time, data }, signal);
  }

  @OnFact(batchCompleted)
  async batch(@Payload() data: BatchCompleted, @Ctx() { eventId, time, signal }: FactContext): Promise<void> {
    await this.dispatchers.people.dispatch({ kind: 'batch', eventId, time, data }, signal);
  }
}
