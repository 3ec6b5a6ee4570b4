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

/** How a handler of facts takes them. */
export interface FactOptions {
  /**
   * Facts of one name reach each group of a service on its own: what holds up one group does not hold up the others. Default:
   * the service itself.
   */
  readonly group?: string;
  /** Facts that are handled at the same time, in any order. Default: one, in order. */
  readonly parallel?: number;
}

/** Handles a fact, at least once. */
export const OnFact = (event: EventDefinition, { group, parallel }: FactOptions = {}): MethodDecorator =>
  applyDecorators(
    EventPattern<string>(group === undefined ? event.type : `${event.type}#${group}`, { parallel }),
    UseFilters(Rethrow),
  );

/** Answers a question. */
export const OnRequest = (request: RequestDefinition): MethodDecorator =>
  applyDecorators(MessagePattern(request.subject), UseFilters(Rethrow));
