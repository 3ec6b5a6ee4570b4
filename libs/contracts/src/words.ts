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

/** One run of a hook: it may belong to a job, or to a wave of a batch. */
export const HookId = z.string().regex(/^hook-[a-z0-9]{6,32}$/, 'a hook id such as hook-7k2m9x4qa3hd');

/** What a token may do; each role may all that the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

export const PHASES = ['export', 'conversion', 'cleanup'] as const;
export const Phase = z.enum(PHASES);
export type Phase = z.infer<typeof Phase>;

/** What a worker can be at: a phase of a job, a look at its files, their import into libvirt, or a hook. */
export const ACTIVITIES = [...PHASES, 'verify', 'import', 'hook'] as const;
export const Activity = z.enum(ACTIVITIES);
export type Activity = z.infer<typeof Activity>;

/** RFC 3339 in UTC. */
export const Timestamp = z.iso.datetime({ offset: true });
/** Bytes, up to 2^53 - 1 (8 PiB): a number in JSON. */
export const Bytes = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
/** Bytes a second; `hyperctl` takes `200M` for 200,000,000. */
export const BytesPerSecond = z.number().int().min(65_536).max(Number.MAX_SAFE_INTEGER);
/** A path on the worker. */
export const WorkerPath = z.string().min(2).max(4096).startsWith('/', 'an absolute path on the worker');
/** A digest as given by a person or a manifest: `sha256:` and hexadecimal digits. */
export const Checksum = z
  .string()
  .regex(/^(md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64})$/i, 'md5:, sha1: or sha256: and the digits')
  .transform((text) => text.toLowerCase());
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal');
/** Colon-separated or plain hexadecimal MAC, kept in lower case with colons as libvirt writes it. */
export const Mac = z
  .string()
  .regex(/^[0-9a-fA-F]{2}([:-]?[0-9a-fA-F]{2}){5}$/, 'a MAC address such as 00:50:56:ab:cd:ef')
  .transform((mac) => (mac.toLowerCase().match(/[0-9a-f]{2}/g) ?? []).join(':'));
