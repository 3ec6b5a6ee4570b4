import { JobError, ROLES, type Role } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../http/caller.js';
import { roleOf } from '../http/route.js';
import { Audit } from './audit.js';
import { Authenticator, isLogin } from './authenticator.js';
import { Followers } from './followers.js';
import { Idempotency } from './idempotency.js';
import { Limits, TooMany } from './limits.js';
import { isChange, isStream, operationOf, tie, type Operation } from './operation.js';

const includes = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/**
 * Every request passes here: who asks, whether he may, and how often; then, with its body, the audit and the
 * Idempotency-Key. Hooks of the router, because a guard comes after the body was read and sees nothing of what is
 * refused before it.
 */
@Injectable()
export class Gate {
  /** What a request asks for, also when a handler passes it on to where nothing is. */
  readonly #operations = new WeakMap<AuthenticatedRequest, Operation>();
  /** Requests of a flood that the audit has no row of. */
  readonly #silent = new WeakSet<AuthenticatedRequest>();

  constructor(
    private readonly authenticator: Authenticator,
    private readonly limits: Limits,
    private readonly audit: Audit,
    private readonly idempotency: Idempotency,
    private readonly followers: Followers,
  ) {}

  /** Before any route is there. */
  install(fastify: FastifyInstance): void {
    this.limits.install(fastify);
    fastify.addHook('onRoute', tie);
    fastify.addHook('onRequest', async (request, reply) => this.#enter(request, reply));
    fastify.addHook('preHandler', async (request, reply) => this.#begin(request, reply));
    fastify.addHook('onSend', async (request, reply, payload) => this.#end(request, reply, payload));
  }

  async #enter(request: AuthenticatedRequest, reply: FastifyReply): Promise<void> {
    const operation = operationOf(request);
    // What is nowhere served is answered so, to anybody.
    if (operation === undefined || operation.route.open === true) return;
    this.#operations.set(request, operation);
    const { route } = operation;
    try {
      const caller = await this.authenticator.identify(request, reply, route);
      request.caller = caller;
      // Questions too: each may log in at a vCenter, with a password that the caller tries.
      if (route.method !== 'GET') await this.limits.write(request, reply);
      if (!includes(caller.role, roleOf(route)))
        throw new JobError('FORBIDDEN', `This needs the role ${roleOf(route)}; ${caller.name} is ${caller.role}.`);
      if (isStream(route)) this.followers.watch(reply.raw, caller);
    } catch (error) {
      if (error instanceof TooMany && !error.isFirst) this.#silent.add(request);
      throw error;
    }
  }

  async #begin(request: AuthenticatedRequest, reply: FastifyReply): Promise<void> {
    const operation = operationOf(request);
    // Undefined too when a handler passed it on, which has begun then.
    if (operation === undefined || operation.route.open === true) return;
    if (isChange(operation.route)) await this.audit.begin(request, operation);
    if (operation.route.method === 'POST') await this.idempotency.begin(request, reply);
  }

  async #end(request: AuthenticatedRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const operation = this.#operations.get(request);
    if (operation === undefined) return payload;
    const { route } = operation;
    const isAudited = request.caller === undefined ? isLogin(request, route) : isChange(route);
    await Promise.all([
      this.idempotency.end(request, reply, payload),
      isAudited && !this.#silent.has(request) ? this.audit.end(request, operation, reply, payload) : undefined,
    ]);
    return payload;
  }
}
