import {
  HookId,
  JobError,
  JobId,
  type Activity,
  type CommandDefinition,
  type CommandFence,
  type Failure,
} from '@hyper2kvm/contracts';
import type { KV } from 'nats';
import type { Bus } from '../bus/bus.js';
import { decode, InvalidMessage, MAX_BODY_BYTES, type Envelope } from '../bus/cloudevents.js';
import type { Claims } from '../claims/claims.js';
import type { Lease } from '../claims/lease.js';
import { LeaseLost } from '../claims/lease.js';
import type { ClaimRecord } from '../claims/record.js';
import type { Delivery } from '../lanes/delivery.js';
import { activityOf } from '../lanes/address.js';
import { cancelKey, coversAttempt } from '../lanes/cancellation.js';
import type { Logger } from '../telemetry/logger.js';
import { expectEvent, startHandling, type HandlingOutcome } from '../telemetry/runtime-metrics.js';
import { withLongSpan } from '../telemetry/long-span.js';
import { context, contextFrom, SpanKind, traceparent } from '../telemetry/tracing.js';
import { WorkContext, WorkStopped, type StopKind } from './context.js';
import { deadLetter } from './dead-letters.js';
import { namedIn } from '../bus/named-in.js';
import { isPassing } from '../bus/passing.js';
import { withOutput } from '../process/output.js';
import {
  adviceSentence,
  beganSentence,
  cancelledSentence,
  defectSentence,
  endedSentence,
  handedBackSentence,
} from './sentences.js';

/** A third of the lease, so that two renewals may fail before it is in doubt. */
const RENEW_MS = 15_000;
const BUSY_MS = 5_000;
const SETTLE_PAUSE_MS = 500;
/** For the record around the result, and the headers of the fact. */
const ROOM_BYTES = 4096;

const COURSE = { course: true };

export type CommandHandler = (data: unknown, context: WorkContext) => Promise<unknown>;
type Done = NonNullable<ClaimRecord['done']>;

/** Takes the messages of one command to their end, by the settle rules of docs/adr/0002. */
export class CommandWorker {
  readonly #active = new Map<string, WorkContext>();
  #stopped: StopKind | undefined;

  constructor(
    private readonly options: {
      readonly bus: Bus;
      readonly claims: Claims;
      readonly control: KV;
      readonly command: CommandDefinition;
      readonly handler: CommandHandler;
      readonly workerId: string;
      readonly service: string;
      readonly logger: Logger;
    },
  ) {
    expectEvent(options.command.name);
  }

  get activeJobs(): string[] {
    return [...this.#active.keys()];
  }

  /** Tells running work to stop. */
  stopAll(kind: StopKind): void {
    this.#stopped = kind;
    for (const work of this.#active.values()) work.stop(kind);
  }

  get hasLanes(): boolean {
    return this.options.command.stream === 'by lane';
  }

  get activity(): Activity {
    return activityOf(this.options.command);
  }

  /** @param mark the value of the job's mark, see cancellation.ts */
  cancel(jobId: string, mark: string): void {
    const work = this.#active.get(jobId);
    if (work !== undefined && coversAttempt(mark, work.attempt)) work.stop('cancelled');
  }

  /** One message, from its delivery to its acknowledgement. Never rejects: a message that could not be settled comes again. */
  async run(delivery: Delivery): Promise<void> {
    const { logger } = this.options;
    // Also while the record is being asked for: a slow bus must not have the message delivered twice.
    const hold = setInterval(() => delivery.working(), this.options.command.policy.ackWaitMs / 3);
    const ended = startHandling(this.options.command.name, delivery.deliveries);
    try {
      ended(await this.#receive(delivery, () => clearInterval(hold)));
    } catch (error) {
      ended('again');
      logger.error(
        { err: error, ...namedIn(delivery.message.subject) },
        'a message could not be settled and will come again',
      );
      delivery.nak(this.options.command.policy.backoffMs[0] ?? BUSY_MS);
    } finally {
      clearInterval(hold);
    }
  }

  async #receive(delivery: Delivery, release: () => void): Promise<HandlingOutcome> {
    const { command } = this.options;
    let envelope: Envelope;
    let data: CommandFence;
    try {
      const decoded = decode(delivery.message.headers, delivery.message.data);
      if (decoded.definition.type !== command.type)
        throw new InvalidMessage(`${decoded.definition.type} came where ${command.type} was expected`);
      envelope = decoded.envelope;
      data = decoded.data as CommandFence;
    } catch (error) {
      await this.#invalid(delivery, error as Error);
      return 'failed';
    }
    // Whatever is logged from here on, by timers too, belongs to the job's trace.
    return context.with(contextFrom(envelope.traceparent), () => this.#take(delivery, release, envelope, data));
  }

  async #take(
    delivery: Delivery,
    release: () => void,
    envelope: Envelope,
    data: CommandFence,
  ): Promise<HandlingOutcome> {
    const { claims, command } = this.options;
    const take = await claims.take(this.activity, data, command.maxStarts);
    switch (take.kind) {
      case 'stale':
        await delivery.ack();
        return 'cancelled';
      case 'busy':
        delivery.nak(BUSY_MS);
        return 'again';
      case 'done':
        await this.#emit(data.job_id, take.record.done as Done);
        await delivery.ack();
        return 'done';
      case 'exhausted': {
        const error = new JobError(
          'STARTS_EXHAUSTED',
          `the work was started ${command.maxStarts} times and never came to an end`,
        );
        await deadLetter(this.options.bus, command.name, delivery.message, this.options.service, error.message);
        await this.#finish(take.lease, data, this.#failed(data, error.toFailure(), envelope));
        await delivery.ack();
        return 'failed';
      }
      case 'taken':
        release();
        return this.#work(delivery, take.lease, envelope, data);
    }
  }

  async #work(delivery: Delivery, lease: Lease, envelope: Envelope, data: CommandFence): Promise<HandlingOutcome> {
    const { bus, command, logger, workerId } = this.options;
    const work = new WorkContext({ bus, lease, logger, jobId: data.job_id, phase: this.activity, workerId });
    this.#active.set(data.job_id, work);
    if (this.#stopped !== undefined) work.stop(this.#stopped);
    const hold = setInterval(() => {
      if (lease.valid) delivery.working();
    }, command.policy.ackWaitMs / 3);
    const renew = setInterval(() => {
      lease.renew().catch((error: unknown) => {
        if (error instanceof LeaseLost) work.stop(error.cancelled ? 'cancelled' : 'lease lost');
      });
    }, RENEW_MS);
    try {
      if (await this.#isCancelled(data)) work.stop('cancelled');
      const attributes = {
        [this.activity === 'hook' ? 'hook.id' : 'job.id']: data.job_id,
        'job.attempt': data.attempt,
        'worker.id': workerId,
        'messaging.system': 'nats',
        'messaging.destination.name': delivery.message.subject,
      };
      const outcome = await withLongSpan(
        `${command.name} process`,
        attributes,
        async (span) => {
          lease.startedIn(traceparent());
          return this.#handle(work, data, envelope, lease.starts, (error) => span.fail(error));
        },
        { kind: SpanKind.CONSUMER, links: [lease.startedBefore] },
      ).catch((error: unknown) => ({ stop: error }));
      await work.flush();
      if ('stop' in outcome) {
        await this.#handBack(delivery, lease, work, outcome.stop);
        return 'again';
      }
      await this.#finish(lease, data, outcome);
      await delivery.ack();
      return outcome.type === command.completed.type ? 'done' : work.signal.aborted ? 'cancelled' : 'failed';
    } catch (error) {
      // Cancelled: nobody waits for this end. Otherwise another worker has the message now, and it is theirs to settle.
      if (!(error instanceof LeaseLost)) throw error;
      logger.warn({ job_id: data.job_id, attempt: data.attempt }, error.message);
      if (error.cancelled || (await this.#isCancelled(data))) {
        await lease.leave().catch(() => {});
        await delivery.ack();
        return 'cancelled';
      }
      return 'again';
    } finally {
      clearInterval(hold);
      clearInterval(renew);
      work.close();
      this.#active.delete(data.job_id);
    }
  }

  /** The fact in which the handler's work ends; rejects when there is none (stopped, or a defect). */
  async #handle(
    work: WorkContext,
    data: CommandFence,
    envelope: Envelope,
    starts: number,
    failed: (error: unknown) => void,
  ): Promise<Done> {
    const { command, handler, workerId } = this.options;
    const { activity } = this;
    const { attempt } = data;
    const begun = performance.now();
    const beginning = { activity, attempt, worker: workerId, starts, maxStarts: command.maxStarts };
    try {
      work.signal.throwIfAborted();
      work.log(starts > 1 ? 'warn' : 'info', beganSentence({ ...beginning, askedAt: envelope.time }), COURSE);
      const result = await withOutput(work, () => handler(data, work));
      const fact = { ...(result as object), job_id: data.job_id, attempt: data.attempt, worker: workerId };
      const done = this.#done(command.completed.type, command.completed.schema.parse(fact), data, envelope);
      this.#assertFits(done);
      work.log('info', endedSentence(activity, attempt, performance.now() - begun), COURSE);
      return done;
    } catch (error) {
      const stopped = work.signal.aborted ? (work.signal.reason as WorkStopped) : undefined;
      if (stopped?.kind === 'cancelled') {
        failed(stopped);
        work.log('warn', cancelledSentence(activity, attempt, performance.now() - begun));
        return this.#failed(data, new JobError('CANCELLED', 'the job was cancelled').toFailure(), envelope);
      }
      if (stopped !== undefined) throw stopped;
      if (error instanceof JobError) {
        failed(error);
        const step = error.step === undefined ? {} : { step: error.step };
        work.log('error', error.message, step);
        work.log('info', adviceSentence(error.code), step);
        return this.#failed(data, error.toFailure(), envelope, error.errorFile);
      }
      throw error;
    }
  }

  /** Stopped or defective: the message goes back, and the record says whether this start counts. */
  async #handBack(delivery: Delivery, lease: Lease, work: WorkContext, error: unknown): Promise<void> {
    const { logger, command } = this.options;
    if (lease.lost) return;
    const stopped = error instanceof WorkStopped;
    const { jobId, attempt } = work;
    if (stopped) {
      logger.info({ job_id: jobId, attempt, reason: error.kind }, 'work handed back');
      work.log('info', handedBackSentence(this.activity, attempt, this.options.workerId));
    } else {
      logger.error({ err: error, job_id: jobId, attempt }, 'unexpected error, the work is tried again');
      work.log('error', defectSentence(this.activity, attempt));
    }
    await work.flush();
    await lease
      .release(!stopped)
      .catch((failure: unknown) =>
        logger.warn({ err: failure, job_id: jobId, attempt }, 'the lease could not be released'),
      );
    delivery.nak(stopped ? 1 : (command.policy.backoffMs[0] ?? BUSY_MS));
  }

  /** Record first, fact second, acknowledgement last: whatever is cut off in between is made up by the next delivery. */
  async #finish(lease: Lease, data: CommandFence, done: Done): Promise<void> {
    for (;;) {
      try {
        await lease.finish(done);
        break;
      } catch (error) {
        if (error instanceof LeaseLost || !isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
      }
    }
    await this.#emit(data.job_id, done);
  }

  async #emit(jobId: string, done: Done): Promise<void> {
    const { bus, command } = this.options;
    const event = [command.completed, command.failed].find((candidate) => candidate.type === done.type);
    if (event === undefined) throw new Error(`${done.type} is no end of ${command.type}`);
    for (;;) {
      try {
        await bus.publish(event, jobId, done.data, {
          eventId: done.event_id,
          traceparent: done.traceparent,
          time: done.time,
        });
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        this.options.logger.warn({ err: error, job_id: jobId }, `${done.type} could not be published, trying again`);
        await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
      }
    }
  }

  #failed(data: CommandFence, failure: Failure, envelope: Envelope, errorFile?: string): Done {
    const { command, workerId } = this.options;
    return this.#done(
      command.failed.type,
      {
        job_id: data.job_id,
        attempt: data.attempt,
        worker: workerId,
        failure,
        ...(errorFile === undefined ? {} : { error_file: errorFile }),
      },
      data,
      envelope,
    );
  }

  /** The record and the fact carry the whole result: one that NATS never takes would be tried for ever. */
  #assertFits(done: Done): void {
    const limit = (this.options.bus.connection.info?.max_payload ?? MAX_BODY_BYTES) - ROOM_BYTES;
    const bytes = Buffer.byteLength(JSON.stringify(done));
    if (bytes > limit)
      throw new JobError('INTERNAL', `the result has ${bytes} bytes, and NATS takes ${limit}`, { retryable: false });
  }

  #done(type: string, fact: unknown, data: CommandFence, envelope: Envelope): Done {
    const parent = traceparent() ?? envelope.traceparent;
    return {
      event_id: `${this.activity}:${data.job_id}:${data.attempt}:end`,
      type,
      data: fact,
      time: new Date().toISOString(),
      ...(parent === undefined ? {} : { traceparent: parent }),
    };
  }

  /** Cannot be understood: kept as a dead letter, and where the job can be told from the subject it gets its end. */
  async #invalid(delivery: Delivery, error: Error): Promise<void> {
    const { bus, claims, command, logger, service } = this.options;
    logger.error({ ...namedIn(delivery.message.subject), error: error.message }, 'an invalid message was put aside');
    await deadLetter(bus, command.name, delivery.message, service, error.message);
    const jobId = delivery.message.subject.split('.').at(-1) ?? '';
    // Only an id of the product may be a key of the bucket; anything else names nothing.
    const found = JobId.or(HookId).safeParse(jobId).success ? await claims.get(this.activity, jobId) : undefined;
    if (found !== undefined && found.record.done === null) {
      const { attempt, generation, lane, pool } = found.record;
      const fence = { job_id: jobId, attempt, generation, lane, pool };
      const take = await claims.take(this.activity, fence, Number.MAX_SAFE_INTEGER);
      const failure = new JobError(
        'INVALID_MESSAGE',
        `the message of this job could not be understood: ${error.message}`,
      ).toFailure();
      const envelope: Envelope = { id: '', type: '', source: '', subject: '', time: '', traceparent: undefined };
      if (take.kind === 'taken') await this.#finish(take.lease, fence, this.#failed(fence, failure, envelope));
    }
    await delivery.ack();
  }

  async #isCancelled(data: CommandFence): Promise<boolean> {
    const entry = await this.options.control.get(cancelKey(this.activity, data.job_id)).catch(() => null);
    return entry?.operation === 'PUT' && coversAttempt(entry.string(), data.attempt);
  }
}
