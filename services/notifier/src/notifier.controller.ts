import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { jobCompleted, jobFailed, type JobCompleted, type JobFailed } from '@hyper2kvm/contracts';
import { FactContext, OnFact } from '@hyper2kvm/runtime';
import { Dispatcher } from './dispatcher.js';

/** The ends of jobs, at least once. What this throws decides: a JobError puts the fact aside, anything else brings it back later. */
@Controller()
export class NotifierController {
  constructor(private readonly dispatcher: Dispatcher) {}

  @OnFact(jobCompleted)
  async completed(@Payload() data: JobCompleted, @Ctx() context: FactContext): Promise<void> {
    await this.dispatcher.dispatch({ kind: 'completed', eventId: context.eventId, data });
  }

  @OnFact(jobFailed)
  async failed(@Payload() data: JobFailed, @Ctx() context: FactContext): Promise<void> {
    await this.dispatcher.dispatch({ kind: 'failed', eventId: context.eventId, data });
  }
}
