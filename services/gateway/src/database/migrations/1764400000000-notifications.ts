import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Slack webhooks of batches; those of jobs are among their options. */
export class Notifications1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE batches ADD COLUMN slack_webhook text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE batches DROP COLUMN slack_webhook');
  }
}
