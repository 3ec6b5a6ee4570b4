import { createHash, timingSafeEqual } from 'node:crypto';
import { JobError } from '@hyper2kvm/contracts';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { InjectSections, type Sections } from '../config.js';
import type { AuthenticatedRequest } from '../http/caller.js';
import { ROUTE, type Route } from '../http/route.js';

@Injectable()
export class AuthGuard implements CanActivate {
  readonly #expected: Buffer | undefined;

  constructor(
    private readonly reflector: Reflector,
    @InjectSections() config: Sections,
  ) {
    const { auth } = config.gateway.api;
    this.#expected = auth.enabled && auth.token !== undefined ? digest(auth.token) : undefined;
  }

  /** @throws JobError UNAUTHENTICATED */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (this.#expected === undefined) {
      request.caller = { name: 'local', role: 'admin', expiresAt: null };
      return true;
    }
    if (this.reflector.get<Route | undefined>(ROUTE, context.getHandler())?.open === true) return true;
    const [, token] = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined)
      throw new JobError('UNAUTHENTICATED', 'This gateway asks for a token, and none came with the request.');
    if (!timingSafeEqual(digest(token), this.#expected))
      throw new JobError('UNAUTHENTICATED', 'The token is not known here.');
    request.caller = { name: 'token', role: 'admin', expiresAt: null };
    return true;
  }
}

// Equal lengths for any token, so that the comparison tells nothing by its time.
const digest = (token: string): Buffer => createHash('sha256').update(token).digest();
