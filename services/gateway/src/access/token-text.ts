import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/** A new token. Its beginning lets scanners of repositories know it. */
export const newToken = (): string => `h2k_${randomBytes(SECRET_BYTES).toString('base64url')}`;

/** What is kept of a token: 256 random bits need no slow hash. */
export const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The token of `Authorization: Bearer …`. */
export const bearer = (authorization: string | undefined): string | undefined =>
  /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
