import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const ProcessIdSchema = z.object({ pid: z.number().int(), start_time: z.number() });

export const ServiceState = z.object({
  state: z.enum(['starting', 'running', 'restarting', 'stopping', 'stopped']),
  /** False: stopped on purpose, until it is started by name or with everything. */
  wanted: z.boolean().default(true),
  process: ProcessIdSchema.nullable(),
  /** The guard above it, which ends what the service leaves behind. */
  guard: ProcessIdSchema.nullable(),
  version: z.string(),
  port: z.number().int().nullable(),
  restarts: z.number().int(),
  /** Of the running process, RFC 3339. */
  started_at: z.string().nullable(),
  log: z.string(),
});
export type ServiceState = z.infer<typeof ServiceState>;

/** `<home>/run/stack.json`: what the supervisor says of itself and its services. */
export const StackState = z.object({
  version: z.literal(1),
  state: z.enum(['starting', 'ready', 'stopping', 'failed']),
  /** Why, when it failed. */
  error: z.string().nullable(),
  home: z.string(),
  config: z.string(),
  supervisor: ProcessIdSchema,
  started_at: z.string(),
  gateway_url: z.string(),
  services: z.record(z.string(), ServiceState),
});
export type StackState = z.infer<typeof StackState>;

/** Undefined when there is none, or none that can be read. */
export function readState(file: string): StackState | undefined {
  try {
    return StackState.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Whole or not at all: readers never see half a file. */
export function writeState(file: string, state: StackState): void {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o644 });
  renameSync(aside, file);
}

export const removeState = (file: string): void => rmSync(file, { force: true });
