import { JobError, type Stats, type StatsQuery } from '@hyper2kvm/contracts';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readAttempts, readDays, readFailures, readJobs } from './figures.js';

const DEFAULT_MS = 30 * 24 * 3_600_000;
/** Nothing is older, and PostgreSQL knows no year 0. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);

/** What became of jobs lately, from their rows and those of their attempts. */
@Injectable()
export class StatsService {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws JobError BAD_REQUEST */
  async stats(query: StatsQuery): Promise<Stats> {
    const asked = query.since === undefined ? Date.now() - DEFAULT_MS : Date.parse(query.since);
    if (Number.isNaN(asked)) throw new JobError('BAD_REQUEST', `since: ${query.since} is no time.`);
    const since = new Date(Math.max(EARLIEST_MS, asked));
    const [jobs, attempts, failures, days] = await Promise.all([
      readJobs(this.dataSource, since),
      readAttempts(this.dataSource, since),
      readFailures(this.dataSource, since),
      readDays(this.dataSource, since),
    ]);
    return { since: since.toISOString(), ...jobs, ...attempts, failures, days };
  }
}
