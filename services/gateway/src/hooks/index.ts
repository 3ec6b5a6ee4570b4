import type { Provider, Type } from '@nestjs/common';
import { HookFacts } from './hook-facts.js';
import { HookFactsController } from './hook-facts.controller.js';
import { HookOutcomes } from './outcomes.js';

export { askHooks, ofJob, type HookRun } from './ask.js';
export { jobsMoved, type Move } from './jobs-moved.js';
export { HookOutcomes } from './outcomes.js';
export { withdraw } from './withdraw.js';

export const HOOKS_CONTROLLERS: Type[] = [HookFactsController];
export const HOOKS_PROVIDERS: Provider[] = [HookOutcomes, HookFacts];
