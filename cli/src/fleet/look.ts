import type { Health, JobDetail, JobStatus, JobSummary } from '@hyper2kvm/contracts';
import type { GatewayClient, JobFilter } from '../lib/client.js';
import { CliError, GatewayProblem } from '../lib/errors.js';
import { isJobView, STATUSES_OF, type JobPage, type JobView, type Model, type Totals } from './model.js';
import { isWhole, type Look } from './reduce.js';
import { placeOf, rowsOf, windowOf } from './rows.js';
import { failuresShown } from './draw/index.js';

/** Jobs of a view that are asked for at first; the one under way has few, the failed ones are wanted whole where they are few. */
const FIRST: Readonly<Record<JobView, number>> = { running: 500, waiting: 100, failed: 500, completed: 100 };
/** A filter is looked for in so many. */
const FILTERED = 500;
const MOST = 2_000;
const MORE = 200;
/** Details of jobs that a look asks for at most: with the lists, these are all its requests. */
const DETAILS = 8;
const LOG_LINES = 200;

const HEALTH_MS = 10_000;
const HOUR_MS = 3_600_000;
/** The figures of the last hour need all attempts of it. */
const STATS_MS = 60_000;
/** Lists that are to be seen but move slowly, and where nothing says that they have changed. */
const LIST_MS = 10_000;
/** Jobs of a tag are counted by their lists. */
const TAG_MS = 30_000;
const BATCHES = 100;

export interface LookerOptions {
  /** Details that a look asks for at most. */
  readonly details?: number;
  /** Every view is asked for, not only the one that is to be seen. */
  readonly everything?: boolean;
}

/** Asks the gateway for what is to be seen, and for no more of it than can have changed. */
export class Looker {
  /** When something was asked for last, by its name. */
  readonly #asked = new Map<string, number>();
  #running = new Map<string, JobSummary>();
  #failed = -1;
  #completed = -1;
  #scope: Model['scope'] | undefined;

  constructor(
    private readonly client: GatewayClient,
    private readonly options: LookerOptions = {},
  ) {}

  /** @throws CliError when the gateway did not answer what matters */
  async look(model: Model, page: number): Promise<Look> {
    if (this.#scope !== model.scope) this.#forget(model.scope);
    const { view, open } = model;
    const [status, totals, running, health, hour, opened] = await Promise.all([
      this.client.status(),
      this.#totals(model),
      this.#page(model, 'running'),
      this.#every('health', HEALTH_MS, () => this.client.health()),
      this.#every('stats', STATS_MS, () => this.#hour()),
      open === null ? undefined : this.#open(open.jobId),
    ]);
    const known = totals?.totals ?? (isWhole(model) ? (status.jobs as Totals) : model.totals);
    const gone = [...this.#running.values()].filter(({ job_id: id }) => !running.jobs.some((job) => job.job_id === id));
    this.#running = new Map(running.jobs.map((job) => [job.job_id, job]));
    const pages = { running, ...(await this.#ended(model, known)), ...(await this.#waiting(model)) };
    const batches =
      (view === 'batches' || this.options.everything === true) && this.#due('batches', LIST_MS / 2)
        ? await this.client.batches.list(undefined, BATCHES)
        : undefined;
    const details = await this.#details(model, { ...model.pages, ...pages }, gone, page);
    return {
      status,
      pages,
      details,
      ...(totals === undefined ? {} : totals),
      ...(health === undefined ? {} : { health }),
      ...(hour === undefined ? {} : { hour }),
      ...(batches === undefined ? {} : { batches }),
      ...(opened === undefined ? {} : { open: opened }),
    };
  }

  get #most(): number {
    return this.options.details ?? DETAILS;
  }

  /** Lists of jobs that ended: when their number has changed, or now and then. */
  async #ended(model: Model, known: Totals | null): Promise<Partial<Model['pages']>> {
    const pages: { failed?: JobPage; completed?: JobPage } = {};
    if (known === null || known.failed !== this.#failed || this.#due('failed', TAG_MS * 2)) {
      pages.failed = await this.#page(model, 'failed');
      this.#failed = known?.failed ?? -1;
    }
    if (model.view !== 'completed' && this.options.everything !== true) return pages;
    if (known?.completed !== this.#completed || this.#due(`completed ${model.filter}`, LIST_MS)) {
      pages.completed = await this.#page(model, 'completed');
      this.#completed = known?.completed ?? -1;
    }
    return pages;
  }

  async #waiting(model: Model): Promise<Partial<Model['pages']>> {
    if (model.view !== 'waiting' && this.options.everything !== true) return {};
    if (!this.#due(`waiting ${model.filter}`, LIST_MS) && !this.#atEnd(model)) return {};
    return { waiting: await this.#page(model, 'waiting') };
  }

  /** What is wrong, once a look failed: the gateway may be there and its database not. */
  async health(): Promise<Health | undefined> {
    this.#asked.delete('health');
    return this.client.health().catch(() => undefined);
  }

  /** Everything is asked for anew: something was changed, or the gateway is back. */
  forget(): void {
    this.#forget(this.#scope);
  }

  #forget(scope: Model['scope'] | undefined): void {
    const stats = this.#asked.get('stats');
    this.#asked.clear();
    // The last hour is the same in every scope.
    if (stats !== undefined) this.#asked.set('stats', stats);
    if (this.#scope !== scope) this.#running = new Map();
    this.#failed = -1;
    this.#completed = -1;
    this.#scope = scope;
  }

  #due(name: string, ms: number): boolean {
    const now = Date.now();
    if (now - (this.#asked.get(name) ?? 0) < ms) return false;
    this.#asked.set(name, now);
    return true;
  }

  async #every<T>(name: string, ms: number, ask: () => Promise<T>): Promise<T | undefined> {
    if (!this.#due(name, ms)) return undefined;
    try {
      return await ask();
    } catch (error) {
      this.#asked.delete(name);
      throw error;
    }
  }

  #filter({ scope }: Model, status: readonly JobStatus[]): JobFilter {
    return { status, batch: scope.batch, tag: scope.tag };
  }

  /** The user has come near the end of what was asked for. */
  #atEnd(model: Model): boolean {
    if (!isJobView(model.view) || !model.pages[model.view].more) return false;
    const rows = rowsOf(model);
    return placeOf(model, rows) > rows.length - MORE / 4 && rows.length < MOST;
  }

  async #page(model: Model, view: JobView): Promise<JobPage> {
    const here = model.view === view;
    const least = here && model.filter !== '' ? Math.max(FILTERED, FIRST[view]) : FIRST[view];
    const loaded = model.pages[view].jobs.length;
    const limit =
      here && this.#atEnd(model)
        ? Math.min(MOST, Math.max(least, loaded + MORE))
        : Math.max(least, here ? Math.min(loaded, MOST) : 0);
    const filter = this.#filter(model, STATUSES_OF[view]);
    const jobs = await this.client.jobs(filter, limit);
    const more = jobs.length >= limit;
    // The gateway knows VMs by their whole names alone.
    const named =
      here && more && model.filter !== '' ? await this.client.jobs({ ...filter, vm: model.filter }, 20) : [];
    return { jobs: [...jobs, ...named], more };
  }

  /** Of a batch or a tag; the whole fleet's are in the status. */
  async #totals({ scope }: Model): Promise<{ totals: Totals; etaSeconds?: number | null } | undefined> {
    if (scope.batch !== undefined && scope.tag === undefined) {
      const { totals, eta_seconds: etaSeconds } = await this.client.batches.one(scope.batch);
      return { totals: countsOf(totals), etaSeconds };
    }
    if (scope.tag === undefined || !this.#due('totals', TAG_MS)) return undefined;
    const jobs = await this.client.jobs({ batch: scope.batch, tag: scope.tag });
    const totals = { ...NONE };
    for (const { status } of jobs) totals[status] += 1;
    return { totals };
  }

  async #hour(): Promise<NonNullable<Model['hour']>> {
    const { exporter } = await this.client.operations.stats(new Date(Date.now() - HOUR_MS).toISOString());
    return { exports: exporter.count - exporter.failed, bytesPerSecond: exporter.bytes_per_second };
  }

  /** A job that is not there any more is told so; it is no reason to leave. */
  async #open(jobId: string): Promise<NonNullable<Look['open']>> {
    try {
      const [job, logs] = await Promise.all([this.client.job(jobId), this.client.logs(jobId, LOG_LINES)]);
      return { jobId, job, log: logs.lines };
    } catch (error) {
      if (error instanceof GatewayProblem && error.code === 'JOB_NOT_FOUND') return { jobId, error: error.message };
      throw error;
    }
  }

  /**
   * What lists do not tell: rates, steps, reasons, codes. Jobs that left the list of those under way come first, since how they ended
   * is news; then those on the screen, the ones that were asked for longest ago first.
   */
  async #details(model: Model, pages: Model['pages'], gone: readonly JobSummary[], page: number): Promise<JobDetail[]> {
    const next: Model = { ...model, pages };
    const failed = failuresShown(next).filter(({ id }) => !this.#isSettled(next, id));
    const rows = isJobView(model.view) ? windowOf(next, rowsOf(next), page).shown : [];
    const seen = rows
      .filter(({ id }) => model.view !== 'completed' && !this.#isSettled(next, id))
      .toSorted((a, b) => (model.details.get(a.id)?.at ?? 0) - (model.details.get(b.id)?.at ?? 0));
    const ids = new Set([...gone.map((job) => job.job_id).slice(0, 2 * this.#most), ...failed.map(({ id }) => id)]);
    for (const { id } of seen) if (ids.size < this.#most) ids.add(id);
    const answers = await Promise.all([...ids].map((id) => this.#detail(id)));
    return answers.filter((job) => job !== undefined);
  }

  /** What ended does not change until it is tried again, and then its row says so. */
  #isSettled({ details, pages }: Model, id: string): boolean {
    const known = details.get(id)?.job;
    if (known === undefined || known.completed_at === null) return false;
    const job = [...pages.failed.jobs, ...pages.completed.jobs].find((one) => one.job_id === id);
    return job !== undefined && job.updated_at === known.updated_at;
  }

  async #detail(id: string): Promise<JobDetail | undefined> {
    try {
      return await this.client.job(id);
    } catch (error) {
      if (error instanceof CliError && error.code === 'JOB_NOT_FOUND') return undefined;
      throw error;
    }
  }
}

const NONE: Record<JobStatus, number> = {
  pending: 0,
  exporting: 0,
  exported: 0,
  converting: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
};
const countsOf = ({ pending, exporting, exported, converting, completed, failed, cancelled }: Totals): Totals => ({
  pending,
  exporting,
  exported,
  converting,
  completed,
  failed,
  cancelled,
});
