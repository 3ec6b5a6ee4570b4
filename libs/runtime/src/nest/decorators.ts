import { applyDecorators, Catch, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { CommandDefinition, EventDefinition, RequestDefinition } from '@hyper2kvm/contracts';
import { throwError, type Observable } from 'rxjs';

/** NestJS replaces what is not an RpcException by "Internal server error"; the settle rules need the error's class. */
@Catch()
class Rethrow implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

// `<string>`: the other overload would refuse handlers with a typed context.
/* oxlint-disable typescript/no-unnecessary-type-arguments */

/** Handles a command: hours of work under a claim. Returns what the `completed` fact says; throws a JobError for the `failed` one. */
export const OnCommand = (command: CommandDefinition): MethodDecorator =>
  applyDecorators(EventPattern<string>(command.type), UseFilters(Rethrow));

/** Handles a fact, at least once. */
export const OnFact = (event: EventDefinition): MethodDecorator =>
  applyDecorators(EventPattern<string>(event.type), UseFilters(Rethrow));

/** Answers a question. */
export const OnRequest = (request: RequestDefinition): MethodDecorator =>
  applyDecorators(MessagePattern(request.subject), UseFilters(Rethrow));
