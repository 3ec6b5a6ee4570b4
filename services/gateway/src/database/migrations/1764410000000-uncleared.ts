import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What exports left and was not cleared away: a figure that is asked for at every scrape, of few among all jobs. */
export class Uncleared1764410000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX idx_jobs_uncleared ON jobs ((cleanup->>'status'), completed_at)
      WHERE cleanup->>'status' IN ('queued', 'failed')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX idx_jobs_uncleared');
  }
}
