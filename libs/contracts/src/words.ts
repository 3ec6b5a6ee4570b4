import { z } from 'zod';

/** The queue of one priority. The order here is the order in which workers look. Names: the seed's `priority`. */
export const LANES = ['high', 'normal', 'low'] as const;
export const Lane = z.enum(LANES);
export type Lane = z.infer<typeof Lane>;

/** The pool that every worker may take from. Other pools name one host or one target. */
export const ANY_POOL = 'any';

/** One NATS subject token: no dots, blanks or wildcards. */
export const Token = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'letters, digits, "-" and "_" only');

/** `job-` and 12 lower-case characters, for example `job-7k2m9x4qa3hd`. */
export const JobId = z.string().regex(/^job-[a-z0-9]{6,32}$/, 'a job id such as job-7k2m9x4qa3hd');
export const BatchId = z.string().regex(/^batch-[a-z0-9]{6,32}$/, 'a batch id such as batch-7k2m9x4qa3hd');

export const PHASES = ['export', 'conversion', 'cleanup'] as const;
export const Phase = z.enum(PHASES);
export type Phase = z.infer<typeof Phase>;

/** RFC 3339 in UTC. */
export const Timestamp = z.iso.datetime({ offset: true });
/** Bytes, up to 2^53 - 1 (8 PiB): a number in JSON. */
export const Bytes = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal');
/** Colon-separated or plain hexadecimal MAC, kept in lower case with colons as libvirt writes it. */
export const Mac = z
  .string()
  .regex(/^[0-9a-fA-F]{2}([:-]?[0-9a-fA-F]{2}){5}$/, 'a MAC address such as 00:50:56:ab:cd:ef')
  .transform((mac) => (mac.toLowerCase().match(/[0-9a-f]{2}/g) ?? []).join(':'));
