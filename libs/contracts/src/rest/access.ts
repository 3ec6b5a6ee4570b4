import { z } from 'zod';
import { Role, Timestamp } from '../words.js';

/** The name of a token: it stands in `requested_by` and in the audit. */
export const TokenName = z.string().regex(/^[A-Za-z0-9][\w.@-]{0,63}$/, 'letters, digits, "_", ".", "@" and "-" only');

/** POST /api/v1/tokens */
export const TokenRequest = z.strictObject({
  name: TokenName,
  role: Role,
  /** Default: it does not expire. */
  expires_in_days: z.number().int().min(1).max(3650).optional(),
});
export type TokenRequest = z.infer<typeof TokenRequest>;

export const TokenInfo = z.object({
  name: TokenName,
  role: Role,
  created_by: z.string(),
  /** Null of the one in the configuration. */
  created_at: Timestamp.nullable(),
  expires_at: Timestamp.nullable(),
  last_used_at: Timestamp.nullable(),
});
export type TokenInfo = z.infer<typeof TokenInfo>;
/** The only answer that ever holds the token itself. */
export const TokenCreated = TokenInfo.extend({ token: z.string() });
export type TokenCreated = z.infer<typeof TokenCreated>;
export const TokenList = z.object({ tokens: z.array(TokenInfo) });
export type TokenList = z.infer<typeof TokenList>;

/** GET /api/v1/whoami */
export const Whoami = z.object({ name: z.string(), role: Role, expires_at: Timestamp.nullable() });
export type Whoami = z.infer<typeof Whoami>;

/** One change that somebody asked for, done or refused. */
export const AuditEntry = z.object({
  id: z.string(),
  time: Timestamp,
  /** Name of the token; `local` where none is demanded, `unknown` of a login that failed. */
  caller: z.string(),
  role: Role.nullable(),
  address: z.string().nullable(),
  /** The operation's id in /openapi.json: `convert`, `cancel`, `createToken` …; `login` of one that failed. */
  action: z.string(),
  method: z.string(),
  path: z.string(),
  /** The job, batch, worker, token … that it is about, also one that it made. */
  target: z.string().nullable(),
  /** Null while it is worked on, and where the gateway ended before it had answered. */
  status: z.number().int().nullable(),
  /** Of a refusal. */
  code: z.string().nullable(),
  /** The request without secrets, cut where it is long. */
  request: z.string().nullable(),
  trace_id: z.string().nullable(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

const Word = z.string().regex(/^[!-~]{1,256}$/, 'up to 256 visible ASCII characters');

/** GET /api/v1/audit?caller=&action=&target=&since=&until=&limit=&cursor=, newest first */
export const AuditQuery = z.strictObject({
  caller: Word.optional(),
  action: Word.optional(),
  target: Word.optional(),
  since: Timestamp.optional(),
  until: Timestamp.optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;
export const AuditList = z.object({ entries: z.array(AuditEntry), next_cursor: z.string().nullable() });
export type AuditList = z.infer<typeof AuditList>;
