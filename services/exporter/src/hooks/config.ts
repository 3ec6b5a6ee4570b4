import { HttpUrl, Token } from '@hyper2kvm/contracts';
import { z } from 'zod';

/** A command that jobs and batches may name. */
const HookCommand = z.strictObject({
  /** Program and arguments as they are given to it, without a shell. Arguments of the hook are appended. */
  argv: z
    .array(z.string())
    .min(1)
    .refine(([program]) => program?.startsWith('/'), 'the program has to be an absolute path'),
  /** A hook may ask for less, not for more. */
  timeout_seconds: z.number().int().min(1).max(86_400).optional(),
  /** Beside PATH, LANG and what the hook is about: nothing else of the worker's environment is passed on. */
  env: z.record(z.string().regex(/^[A-Za-z_]\w*$/, 'the name of a variable'), z.string()).optional(),
});
export type HookCommand = z.infer<typeof HookCommand>;

/** The section `hooks` of the configuration. */
export const HooksConfig = z
  .strictObject({
    /** By their names: what is not here cannot be run. */
    commands: z.record(Token, HookCommand).default({}),
    /** Signs HTTP calls (HMAC-SHA256). `whsec_` and base64, or any text. */
    secret: z.string().min(1).optional(),
    /** HTTP calls go to addresses that begin with one of these only. Default: anywhere. */
    allow_urls: z.array(HttpUrl).optional(),
  })
  .prefault({});
export type HooksConfig = z.infer<typeof HooksConfig>;
