import { LOGGER, type FactContext, type Logger } from '@hyper2kvm/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { storable } from '../database/index.js';
import { GatewayMetrics } from '../system/metrics.js';
import { OutboxRelay } from '../outbox/index.js';
import { JobChanges } from './changes.js';
import { Releaser } from '../release/index.js';
import { decide, type Fact, type Setting } from './decide.js';
import { classify } from './retry-classes.js';
import { applyDecision, receiveFact } from './store.js';

/** Name of this consumer in the inbox. */
const CONSUMER = 'gateway';

/** Facts come in, the table decides, commands and facts go out: one transaction each. */
@Injectable()
export class ProcessManager {
  readonly #retries: Pick<Setting, 'policy' | 'retryable'>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly relay: OutboxRelay,
    private readonly releaser: Releaser,
    private readonly changes: JobChanges,
    private readonly metrics: GatewayMetrics,
    @InjectSections() { retry_policy: policy }: Sections,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#retries = { policy, retryable: classify(policy) };
  }

  async apply(told: Fact, { eventId, time }: Pick<FactContext, 'eventId' | 'time'>): Promise<void> {
    const fact = storable(told);
    const applied = await this.dataSource.transaction(async (manager) => {
      const job = await receiveFact(manager, CONSUMER, { fact, eventId, time: happenedAt(time) });
      if (job === 'seen') return undefined;
      if (job === null) {
        this.logger.warn({ job_id: fact.data.job_id, fact: fact.name }, 'a fact of a job that is not in the database');
        return undefined;
      }
      const decision = decide(job, fact, { now: new Date(), ...this.#retries });
      if (decision === undefined) {
        this.logger.info(
          { job_id: job.id, fact: fact.name, attempt: fact.data.attempt, status: job.status },
          'a fact that changes nothing any more',
        );
        return undefined;
      }
      await applyDecision(manager, job, decision);
      return { job, patch: decision.patch };
    });
    if (applied === undefined) return;
    this.metrics.count(fact, applied.job, applied.patch);
    this.relay.kick();
    this.releaser.kick();
    this.changes.changed(fact.data.job_id);
  }
}

/** By the worker's clock; a message without a time happened now. */
function happenedAt(time: string): Date {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? new Date() : at;
}
