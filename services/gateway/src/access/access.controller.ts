import type {
  AuditList,
  AuditQuery,
  TokenCreated,
  TokenInfo,
  TokenList,
  TokenRequest,
  Whoami,
} from '@hyper2kvm/contracts';
import { Body, Controller, Param, Query, Req } from '@nestjs/common';
import { callerOf, type AuthenticatedRequest } from '../http/caller.js';
import { Serve } from '../http/route.js';
import { ACCESS_ROUTES as ROUTES } from '../http/routes/access.js';
import { ZodPipe } from '../http/zod.pipe.js';
import { Audit } from './audit.js';
import { Tokens } from './tokens.js';

/** Who may do what, and who did. */
@Controller()
export class AccessController {
  constructor(
    private readonly allTokens: Tokens,
    private readonly auditTrail: Audit,
  ) {}

  @Serve(ROUTES.whoami)
  whoami(@Req() { caller }: AuthenticatedRequest): Whoami {
    if (caller === undefined) throw new Error('a request without a caller');
    return { name: caller.name, role: caller.role, expires_at: caller.expiresAt?.toISOString() ?? null };
  }

  @Serve(ROUTES.tokens)
  async tokens(): Promise<TokenList> {
    return { tokens: await this.allTokens.list() };
  }

  @Serve(ROUTES.createToken)
  createToken(
    @Body(new ZodPipe(ROUTES.createToken.body)) body: TokenRequest,
    @Req() request: AuthenticatedRequest,
  ): Promise<TokenCreated> {
    return this.allTokens.create(body, callerOf(request));
  }

  @Serve(ROUTES.revokeToken)
  revokeToken(@Param('name', new ZodPipe(ROUTES.revokeToken.params.name, 'name')) name: string): Promise<TokenInfo> {
    return this.allTokens.revoke(name);
  }

  @Serve(ROUTES.audit)
  audit(@Query(new ZodPipe(ROUTES.audit.query)) query: AuditQuery): Promise<AuditList> {
    return this.auditTrail.list(query);
  }
}
