import type { z } from 'zod';
import type { StreamName } from '../streams.js';
import { LANES, type Lane } from '../words.js';

/** How the consumers of an event treat it. Times in milliseconds. */
export interface DeliveryPolicy {
  /** A message that shows no life for this long is delivered again. */
  readonly ackWaitMs: number;
  /** Pauses between deliveries after unexpected errors; the last one repeats. */
  readonly backoffMs: readonly number[];
}

/** One event: its CloudEvents type, its subject, its stream, its schema and its policy side by side. */
export interface EventDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly kind: 'command' | 'fact';
  /** CloudEvents `type`, with the version: `export.requested.v1`. */
  readonly type: string;
  /** First tokens of the subject: `export.requested`. */
  readonly name: string;
  readonly stream: StreamName | 'by lane';
  readonly schema: Schema;
  readonly policy: DeliveryPolicy;
}

export type EventData<D extends EventDefinition> = z.infer<D['schema']>;

/** A message that asks a worker for hours of work; it always ends in one of its two facts. */
export interface CommandDefinition<
  Schema extends z.ZodType = z.ZodType,
  Completed extends EventDefinition = EventDefinition,
  Failed extends EventDefinition = EventDefinition,
> extends EventDefinition<Schema> {
  readonly kind: 'command';
  /** The queues in which it waits. Tasks have one: they lie in the stream TASKS, and carry `normal`. */
  readonly lanes: readonly Lane[];
  readonly completed: Completed;
  readonly failed: Failed;
  /** Starts that never ended after which the message is a dead letter. */
  readonly maxStarts: number;
}

const FACT_POLICY: DeliveryPolicy = { ackWaitMs: 30_000, backoffMs: [1_000, 5_000, 30_000, 120_000, 600_000] };
const COMMAND_POLICY: DeliveryPolicy = { ackWaitMs: 30_000, backoffMs: [5_000, 30_000, 60_000] };

interface EventOptions<Schema extends z.ZodType> {
  readonly name: string;
  readonly version: number;
  readonly schema: Schema;
  readonly stream?: StreamName;
  readonly policy?: Partial<DeliveryPolicy>;
}

/** Defines a fact: an event in the past tense. Its subject is `<name>.<subject id>`. */
export function defineEvent<Schema extends z.ZodType>(
  options: EventOptions<Schema>,
): EventDefinition<Schema> & { kind: 'fact' } {
  return {
    kind: 'fact',
    type: `${options.name}.v${options.version}`,
    name: options.name,
    stream: options.stream ?? 'FACTS',
    schema: options.schema,
    policy: { ...FACT_POLICY, ...options.policy },
  };
}

/** Defines a command: `<name>.<lane>.<pool>.<job>` in the work queue of its lane. */
export function defineCommand<
  Schema extends z.ZodType,
  Completed extends EventDefinition,
  Failed extends EventDefinition,
>(
  options: Omit<EventOptions<Schema>, 'stream'> & { completed: Completed; failed: Failed; maxStarts?: number },
): CommandDefinition<Schema, Completed, Failed> {
  return {
    kind: 'command',
    lanes: LANES,
    type: `${options.name}.v${options.version}`,
    name: options.name,
    stream: 'by lane',
    schema: options.schema,
    policy: { ...COMMAND_POLICY, ...options.policy },
    completed: options.completed,
    failed: options.failed,
    maxStarts: options.maxStarts ?? 3,
  };
}

/** Defines a task: a command without lanes, `<name>.<pool>.<job>` in the stream TASKS. */
export function defineTask<Schema extends z.ZodType, Completed extends EventDefinition, Failed extends EventDefinition>(
  options: Parameters<typeof defineCommand<Schema, Completed, Failed>>[0],
): CommandDefinition<Schema, Completed, Failed> {
  return { ...defineCommand(options), stream: 'TASKS', lanes: ['normal'] };
}

/** A question with a short answer: core NATS request/reply, answered by any one worker of the service. */
export interface RequestDefinition<Request extends z.ZodType = z.ZodType, Reply extends z.ZodType = z.ZodType> {
  readonly subject: string;
  readonly request: Request;
  readonly reply: Reply;
  readonly timeoutMs: number;
}

export function defineRequest<Request extends z.ZodType, Reply extends z.ZodType>(
  definition: RequestDefinition<Request, Reply>,
): RequestDefinition<Request, Reply> {
  return definition;
}
