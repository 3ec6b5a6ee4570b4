import { JobError, type BatchAccepted, type BatchRequest } from '@hyper2kvm/contracts';
import { Sealer, traceparent } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import { Batch, newId, type Job } from '../database/index.js';
import {
  AskedSources,
  assertReceivers,
  assertTarget,
  insertJobs,
  newJob,
  storedOptions,
  type Wanted,
} from '../jobs/index.js';
import { OutboxRelay } from '../outbox/index.js';
import { parseWindow } from '../schedule/index.js';
import { VcenterSources, type ResolvedSource } from '../vcenters/index.js';
import { Admission } from './admission.js';
import { planOf, type Plan, type PlannedVm } from './plan.js';
import { BatchQueries } from './queries.js';

/** So many VMs are read before other requests have their turn. */
const AT_A_TIME = 500;

/** Takes in many VMs as one plan. Nobody looks at them yet: each is looked at when its turn comes. */
@Injectable()
export class CreateBatch {
  constructor(
    private readonly dataSource: DataSource,
    private readonly asked: AskedSources,
    private readonly vcenters: VcenterSources,
    private readonly sealer: Sealer,
    private readonly relay: OutboxRelay,
    private readonly admission: Admission,
    private readonly queries: BatchQueries,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** @throws JobError BAD_REQUEST naming the field */
  async create(request: BatchRequest, requestedBy: string): Promise<BatchAccepted> {
    assertReceivers(request, '');
    const plan = planOf(request);
    const now = new Date();
    const batch = newBatch(request, plan, requestedBy, now);
    const jobs = await this.#jobs(batch, plan, now);
    await this.dataSource.transaction(async (manager) => {
      await manager.insert(Batch, batch);
      await insertJobs(manager, jobs);
    });
    this.relay.kick();
    this.admission.kick();
    return {
      ...(await this.queries.summary(batch.id)),
      jobs: jobs.map((job) => ({ job_id: job.id, vm_name: job.vmName, wave: job.wave ?? '' })),
    };
  }

  async #jobs(batch: Batch, { vms }: Plan, now: Date): Promise<Job[]> {
    const logins = new Map<string, Promise<ResolvedSource>>();
    const jobs: Job[] = [];
    for (const [order, vm] of vms.entries()) {
      const { source, connection, options } = await this.#wanted(vm, logins);
      const pool = this.#checked(vm, options);
      jobs.push(
        newJob(
          {
            vmRef: vm.vmName,
            source,
            connection,
            machine: null,
            options,
            pool,
            requestedBy: batch.requestedBy,
            batch: { id: batch.id, wave: vm.wave, order },
          },
          now,
        ),
      );
      if (order % AT_A_TIME === AT_A_TIME - 1) await new Promise(setImmediate);
    }
    return jobs;
  }

  /** Each vCenter's login is looked up once. */
  async #wanted(vm: PlannedVm, logins: Map<string, Promise<ResolvedSource>>): Promise<Wanted> {
    const { source, vcenter, options, luks_keys: keys } = vm;
    if (source !== undefined) {
      const files = { source, vcenter, options, ...(keys === undefined ? {} : { luks_keys: keys }) };
      return this.asked.wanted(files).catch((error: unknown) => Promise.reject(at(`${vm.field}.`, error)));
    }
    const key = JSON.stringify(vcenter);
    const login = logins.get(key) ?? this.vcenters.of(vcenter);
    logins.set(key, login);
    try {
      return { ...(await login), options: storedOptions(options, keys, this.sealer) };
    } catch (error) {
      throw at(vm.vcenterField, error);
    }
  }

  /** The target's pool. */
  #checked(vm: PlannedVm, options: Wanted['options']): string | undefined {
    try {
      if (options.window !== undefined) parseWindow(options.window);
      assertReceivers(options);
      return assertTarget(options, this.config.targets)?.pool;
    } catch (error) {
      throw at(vm.optionsField, error);
    }
  }
}

const newBatch = (request: BatchRequest, { waves }: Plan, requestedBy: string, now: Date): Batch =>
  Object.assign(new Batch(), {
    id: newId('batch'),
    name: request.name ?? null,
    version: 1,
    requestedBy,
    waves: [...waves],
    maxParallel: request.max_parallel ?? null,
    stopAfterFailures: request.stop_after_failures ?? null,
    failuresForgiven: 0,
    stoppedAt: null,
    cancelledAt: null,
    cancelledBy: null,
    completedAt: null,
    notifyEmail: request.notify_email ?? null,
    callbackUrl: request.callback_url ?? null,
    slackWebhook: request.slack_webhook ?? null,
    createdAt: now,
    updatedAt: now,
    traceparent: traceparent() ?? null,
  } satisfies Batch);

/** The same complaint, with the place of the VM that it is about. */
function at(field: string, error: unknown): unknown {
  if (!(error instanceof JobError) || field === '') return error;
  return new JobError(error.code, `${field}${error.message}`, { cause: error });
}
