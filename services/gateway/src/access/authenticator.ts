import { JobError } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { InjectSections, isLoopback, type Sections } from '../config.js';
import type { Caller } from '../http/caller.js';
import type { Route } from '../http/route.js';
import { Limits } from './limits.js';
import { isChange } from './operation.js';
import { isOverSocket } from './socket-requests.js';
import { bearer, digest } from './token-text.js';
import { Tokens } from './tokens.js';

const LOCAL: Caller = { name: 'local', role: 'admin', expiresAt: null };
const SOCKET: Caller = { name: 'socket', role: 'admin', expiresAt: null };
const KNOWN_LIMIT = 10_000;

/** Whether something came that may be right or wrong; a GET without a token is none. */
export const isLogin = (request: FastifyRequest, route: Route): boolean =>
  bearer(request.headers.authorization) !== undefined || isChange(route);

/** Says who asks. */
@Injectable()
export class Authenticator {
  readonly #config: Sections['gateway'];
  /** Tokens that were right from this address: somebody else's failures there do not lock their holders out. */
  readonly #known = new Set<string>();

  constructor(
    private readonly tokens: Tokens,
    private readonly limits: Limits,
    @InjectSections() { gateway }: Sections,
  ) {
    this.#config = gateway;
  }

  /** @throws JobError UNAUTHENTICATED, RATE_LIMITED, FORBIDDEN */
  async identify(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<Caller> {
    const overSocket = isOverSocket(request.raw);
    if (!this.#config.api.auth.enabled) {
      if (overSocket) return SOCKET;
      this.#refuseForeignPage(request);
      return LOCAL;
    }
    const token = bearer(request.headers.authorization);
    // The permission of the file is the login; whoever a proxy speaks for did not show it.
    if (overSocket && token === undefined && !isForwarded(request)) return SOCKET;
    return this.#byToken(request, reply, route, token);
  }

  async #byToken(
    request: FastifyRequest,
    reply: FastifyReply,
    route: Route,
    token: string | undefined,
  ): Promise<Caller> {
    const counted = isLogin(request, route);
    const known = token === undefined ? '' : `${request.ip} ${digest(token)}`;
    if (counted && !this.#known.has(known)) await this.limits.beforeLogin(request, reply);
    const caller = token === undefined ? undefined : await this.tokens.find(token);
    if (caller !== undefined) {
      this.#remember(known);
      return caller;
    }
    this.#known.delete(known);
    if (counted) await this.limits.loginFailed(request);
    throw new JobError(
      'UNAUTHENTICATED',
      token === undefined
        ? 'This gateway asks for a token, and none came with the request.'
        : await this.tokens.whyUnknown(token),
    );
  }

  #remember(known: string): void {
    if (this.#known.has(known)) return;
    if (this.#known.size >= KNOWN_LIMIT) this.#known.clear();
    this.#known.add(known);
  }

  /**
   * Without a token every program of this machine may ask, a browser too, and any page may make a browser do so, or
   * give its own name this machine's address.
   * @throws JobError FORBIDDEN
   */
  #refuseForeignPage({ headers }: FastifyRequest): void {
    const { 'sec-fetch-site': site, origin } = headers;
    const isForeign =
      (site !== undefined && site !== 'same-origin' && site !== 'none') ||
      (origin !== undefined && origin.replace(/^https?:\/\//, '') !== headers.host);
    const host = headers.host?.replace(/:\d+$/, '') ?? 'localhost';
    if (!isForeign && (this.#config.behind_proxy || isLoopback(host))) return;
    throw new JobError(
      'FORBIDDEN',
      isForeign
        ? 'A page of another site asked, and this gateway demands no token: set gateway.api.auth first.'
        : `This gateway demands no token, so it is asked as 127.0.0.1 or localhost, not as ${host}: set gateway.api.auth first.`,
    );
  }
}

const isForwarded = ({ headers }: FastifyRequest): boolean =>
  headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined;
