import { LOGGER, type Logger } from '@hyper2kvm/runtime';
import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PROBLEM_TYPE, problemOf } from './problem.js';

/** Every error leaves as problem+json; what nobody expected is logged whole, and told in one sentence. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    // Messages have rules of their own: there the class of the error decides.
    if (host.getType() !== 'http') throw error;
    const { problem, expected } = problemOf(error);
    if (!expected) this.logger.error({ err: error }, 'a request failed');
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    if (problem.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer realm="hyper2kvm"');
    void reply.code(problem.status).header('content-type', PROBLEM_TYPE).send(JSON.stringify(problem));
  }
}
