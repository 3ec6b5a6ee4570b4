import type { Role } from '@hyper2kvm/contracts';
import type { FastifyRequest } from 'fastify';

/** Who asks. */
export interface Caller {
  /** Name of the token; `local` where none is demanded. */
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
}

export type AuthenticatedRequest = FastifyRequest & { caller?: Caller };

/** What stands in `requested_by`. */
export const callerOf = (request: AuthenticatedRequest): string => request.caller?.name ?? 'local';
