import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The seed's `jobs` table with its indexes, and the outbox and inbox of the process manager. */
export class Jobs1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE jobs (
        id text PRIMARY KEY,
        vm_name text NOT NULL,
        vcenter_server text NOT NULL,
        status text NOT NULL CHECK (status IN
          ('pending', 'exporting', 'exported', 'converting', 'completed', 'failed', 'cancelled')),
        phase text NOT NULL CHECK (phase IN ('export', 'conversion', 'cleanup')),
        version integer NOT NULL DEFAULT 1,
        export_started_at timestamptz,
        export_completed_at timestamptz,
        export_duration_seconds integer,
        bytes_downloaded bigint,
        conversion_started_at timestamptz,
        conversion_completed_at timestamptz,
        conversion_duration_seconds integer,
        conversion_status text CHECK (conversion_status IN ('queued', 'converting', 'completed', 'failed')),
        source_files jsonb NOT NULL DEFAULT '[]',
        output_dir text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        completed_at timestamptz,
        error text,
        failure jsonb,
        error_file text,
        retry_count integer NOT NULL DEFAULT 0,
        phase_retries integer NOT NULL DEFAULT 0,
        next_retry_at timestamptz,
        requested_by text NOT NULL,
        priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high')),
        tags jsonb NOT NULL DEFAULT '[]',
        options jsonb NOT NULL,
        source jsonb NOT NULL,
        machine jsonb NOT NULL,
        instance_uuid text,
        total_bytes bigint NOT NULL,
        export_attempt integer NOT NULL DEFAULT 1,
        conversion_attempt integer NOT NULL DEFAULT 0,
        generation integer NOT NULL DEFAULT 0,
        artifact_dir text,
        artifact_pool text,
        artifact jsonb,
        result jsonb,
        trace_id text
      )`);
    await runner.query('CREATE INDEX idx_jobs_status ON jobs (status)');
    await runner.query('CREATE INDEX idx_jobs_created_at ON jobs (created_at DESC, id DESC)');
    await runner.query('CREATE INDEX idx_jobs_vm_name ON jobs (vm_name)');
    await runner.query(`
      CREATE UNIQUE INDEX idx_jobs_active_vm ON jobs (instance_uuid)
      WHERE status IN ('pending', 'exporting', 'exported', 'converting')`);
    await runner.query(`
      CREATE TABLE outbox (
        id uuid PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        job_id text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('command', 'fact', 'cancel')),
        type text NOT NULL,
        data jsonb NOT NULL,
        traceparent text,
        available_at timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX idx_outbox_unpublished ON outbox (seq) WHERE published_at IS NULL');
    await runner.query('CREATE INDEX idx_outbox_job ON outbox (job_id, seq)');
    await runner.query(`
      CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, event_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE inbox');
    await runner.query('DROP TABLE outbox');
    await runner.query('DROP TABLE jobs');
  }
}
