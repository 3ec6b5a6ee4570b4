import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the release of exports, the clean-up after them and the verification of files need. */
export class Exports1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE jobs
        ADD COLUMN host text,
        ADD COLUMN released_at timestamptz,
        ADD COLUMN traceparent text,
        ADD COLUMN cleanup jsonb,
        ADD COLUMN cleanup_attempt integer NOT NULL DEFAULT 0,
        ADD COLUMN verification jsonb,
        ADD COLUMN verify_attempt integer NOT NULL DEFAULT 0`);
    // The commands of these were written when the jobs were: they are in the queue.
    await runner.query(`
      UPDATE jobs SET host = machine->>'host',
        released_at = CASE WHEN status IN ('pending', 'exporting') THEN updated_at END`);
    await runner.query(`
      CREATE INDEX idx_jobs_unexported ON jobs (priority, created_at) WHERE status IN ('pending', 'exporting')`);
    await runner.query('ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check');
    await runner.query(`
      ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check
        CHECK (kind IN ('command', 'fact', 'cancel', 'bandwidth'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DELETE FROM outbox WHERE kind = 'bandwidth'");
    await runner.query('ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check');
    await runner.query(
      "ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('command', 'fact', 'cancel'))",
    );
    await runner.query('DROP INDEX idx_jobs_unexported');
    await runner.query(`
      ALTER TABLE jobs DROP COLUMN host, DROP COLUMN released_at, DROP COLUMN traceparent, DROP COLUMN cleanup, DROP COLUMN cleanup_attempt,
        DROP COLUMN verification, DROP COLUMN verify_attempt`);
  }
}
