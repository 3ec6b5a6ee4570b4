import {
  AuditList,
  TokenCreated,
  TokenInfo,
  TokenList,
  type AuditEntry,
  type TokenRequest,
} from '@hyper2kvm/contracts';
import { paged } from './paged.js';
import type { Transport } from './transport.js';

/** Which entries of the audit; all conditions hold together. */
export interface AuditFilter {
  readonly caller?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Who may do what, and who did. */
export class AccessApi {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  async tokens(): Promise<readonly TokenInfo[]> {
    return (await this.#http.json(TokenList, 'GET', '/api/v1/tokens')).tokens;
  }

  createToken(body: TokenRequest): Promise<TokenCreated> {
    return this.#http.json(TokenCreated, 'POST', '/api/v1/tokens', { body });
  }

  revokeToken(name: string): Promise<TokenInfo> {
    return this.#http.json(TokenInfo, 'DELETE', `/api/v1/tokens/${encodeURIComponent(name)}`);
  }

  /** Newest first. */
  audit(filter: AuditFilter, limit: number): Promise<AuditEntry[]> {
    return paged({ ...filter }, limit, async (search) => {
      const page = await this.#http.json(AuditList, 'GET', `/api/v1/audit?${search}`);
      return { items: page.entries, next: page.next_cursor };
    });
  }
}
