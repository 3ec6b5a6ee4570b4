import { hookCompleted, hookFailed, type HookCompleted, type HookFailed } from '@hyper2kvm/contracts';
import { FactContext, OnFact } from '@hyper2kvm/runtime';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { HookFacts } from './hook-facts.js';

/** The facts of hooks. */
@Controller()
export class HookFactsController {
  constructor(private readonly facts: HookFacts) {}

  @OnFact(hookCompleted)
  completed(@Payload() data: HookCompleted, @Ctx() context: FactContext): Promise<void> {
    return this.facts.apply({ name: 'hook.completed', data }, context.eventId);
  }

  @OnFact(hookFailed)
  failed(@Payload() data: HookFailed, @Ctx() context: FactContext): Promise<void> {
    return this.facts.apply({ name: 'hook.failed', data }, context.eventId);
  }
}
