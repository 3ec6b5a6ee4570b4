import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What notifications need beside a job's options: Slack webhooks of batches, and at each job the name of its batch. */
export class Notifications1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE batches ADD COLUMN slack_webhook text');
    await runner.query('ALTER TABLE jobs ADD COLUMN batch_name text');
    // Of those that have not ended: nobody is told of the others any more.
    await runner.query(`
      UPDATE jobs SET batch_name = batches.name FROM batches
      WHERE batches.id = jobs.batch_id AND batches.name IS NOT NULL
        AND jobs.status NOT IN ('completed', 'cancelled')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE jobs DROP COLUMN batch_name');
    await runner.query('ALTER TABLE batches DROP COLUMN slack_webhook');
  }
}
