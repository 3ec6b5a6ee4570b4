import type { Provider, Type } from '@nestjs/common';
import { DeadLettersController } from './dead-letters.controller.js';
import { DeadLetters } from './dead-letters.service.js';
import { Resending } from './resend.service.js';

export const DEAD_LETTERS_CONTROLLERS: Type[] = [DeadLettersController];
export const DEAD_LETTERS_PROVIDERS: Provider[] = [DeadLetters, Resending];
