import { normalizeIP } from '@fastify/rate-limit';
import { JobError } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { InjectSections, type Sections } from '../config.js';
import type { AuthenticatedRequest } from '../http/caller.js';
import { isOverSocket } from './socket-requests.js';

const MINUTE_MS = 60_000;
type Ask = ReturnType<FastifyInstance['createRateLimit']>;

/** So many a minute for each key, counted by this process. */
class Limiter {
  readonly #ask: Ask;
  readonly #refusals: Ask;

  constructor(fastify: FastifyInstance, max: number, keyGenerator: (request: FastifyRequest) => string) {
    const options = { timeWindow: MINUTE_MS, keyGenerator };
    this.#ask = fastify.createRateLimit({ ...options, max });
    this.#refusals = fastify.createRateLimit({ ...options, max: 1 });
  }

  /** Counts this one. @returns seconds to wait where it is one too many */
  async take(request: FastifyRequest): Promise<number | undefined> {
    const state = await this.#ask(request);
    return state.isAllowed || !state.isExceeded ? undefined : state.ttlInSeconds;
  }

  /** @returns seconds to wait where another would be one too many */
  async look(request: FastifyRequest): Promise<number | undefined> {
    const state = await this.#ask(request, { increment: false });
    return state.isAllowed || state.remaining > 0 ? undefined : state.ttlInSeconds;
  }

  /** Whether nothing else was refused for this key within the minute. */
  async isFirstRefusal(request: FastifyRequest): Promise<boolean> {
    const state = await this.#refusals(request);
    return state.isAllowed || !state.isExceeded;
  }
}

/** Refused for being one too many; of a flood the audit has the first of each minute. */
export class TooMany extends JobError {
  constructor(
    message: string,
    readonly isFirst: boolean,
  ) {
    super('RATE_LIMITED', message);
  }
}

/** Limits of `gateway.api.rate_limit`. Each gateway counts for itself. */
@Injectable()
export class Limits {
  #writes: Limiter | undefined;
  #logins: Limiter | undefined;
  readonly #config: Sections['gateway']['api']['rate_limit'];

  constructor(@InjectSections() { gateway }: Sections) {
    this.#config = gateway.api.rate_limit;
  }

  /** Once the plugin is there. */
  install(fastify: FastifyInstance): void {
    const { writes_per_minute: writes, failed_logins_per_minute: logins } = this.#config;
    if (writes > 0) {
      this.#writes = new Limiter(fastify, writes, (request) => (request as AuthenticatedRequest).caller?.name ?? '');
    }
    if (logins > 0) this.#logins = new Limiter(fastify, logins, addressOf);
  }

  /** @throws TooMany */
  async write(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const seconds = await this.#writes?.take(request);
    if (seconds === undefined) return;
    const text = `More than ${this.#config.writes_per_minute} changes, or questions to a vCenter, within a minute.`;
    throw await refusal(this.#writes, request, reply, seconds, text);
  }

  /** @throws TooMany after too many failed logins from this address */
  async beforeLogin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const seconds = await this.#logins?.look(request);
    if (seconds === undefined) return;
    const text = `More than ${this.#config.failed_logins_per_minute} failed logins from this address within a minute.`;
    throw await refusal(this.#logins, request, reply, seconds, text);
  }

  async loginFailed(request: FastifyRequest): Promise<void> {
    await this.#logins?.take(request);
  }
}

const IPV6_PREFIX = 64;
/** Who has one address of an IPv6 network has them all. Who came over the unix socket has none. */
const addressOf = (request: FastifyRequest): string =>
  isOverSocket(request.raw) ? 'socket' : normalizeIP(request.ip, IPV6_PREFIX);

async function refusal(
  limiter: Limiter | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  seconds: number,
  text: string,
): Promise<TooMany> {
  reply.header('retry-after', String(Math.max(1, seconds)));
  return new TooMany(text, (await limiter?.isFirstRefusal(request)) ?? true);
}
