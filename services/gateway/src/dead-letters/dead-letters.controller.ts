import type { DeadLetterDetail, DeadLetterList, DeadLetterQuery, DeadLetterResent } from '@hyper2kvm/contracts';
import { Controller, Param, Query, Req } from '@nestjs/common';
import { callerOf, type AuthenticatedRequest } from '../http/caller.js';
import { Serve } from '../http/route.js';
import { ROUTES } from '../http/routes.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { DeadLetters } from './dead-letters.service.js';
import { Resending } from './resend.service.js';

const id = new ZodPipe(ROUTES.deadLetter.params.id, 'id');

/** Dead letters under /api/v1. */
@Controller()
export class DeadLettersController {
  constructor(
    private readonly letters: DeadLetters,
    private readonly resending: Resending,
  ) {}

  @Serve(ROUTES.deadLetters)
  list(@Query(new ZodPipe(ROUTES.deadLetters.query)) query: DeadLetterQuery): Promise<DeadLetterList> {
    return this.letters.list(query);
  }

  @Serve(ROUTES.deadLetter)
  show(@Param('id', id) letter: string): Promise<DeadLetterDetail> {
    return this.letters.show(letter);
  }

  @Serve(ROUTES.resendDeadLetter)
  resend(@Param('id', id) letter: string, @Req() request: AuthenticatedRequest): Promise<DeadLetterResent> {
    return this.resending.resend(letter, callerOf(request));
  }

  @Serve(ROUTES.dropDeadLetter)
  drop(@Param('id', id) letter: string): Promise<void> {
    return this.letters.drop(letter);
  }
}
