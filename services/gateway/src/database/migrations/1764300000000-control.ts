import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Batches, schedules, history, tokens and audit, stored connections. */
export class Control1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await jobs(runner);
    await history(runner);
    await batches(runner);
    await access(runner);
    await connections(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'vcenters',
      'idempotency_keys',
      'audit',
      'tokens',
      'hooks',
      'batches',
      'job_events',
      'job_attempts',
    ])
      await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP TABLE retention');
    await runner.query('DROP INDEX idx_jobs_status');
    await runner.query('CREATE INDEX idx_jobs_status ON jobs (status)');
    await runner.query('DROP INDEX idx_jobs_tags');
    await runner.query('DROP INDEX idx_jobs_completed_at');
    await runner.query('DROP INDEX idx_inbox_received_at');
    await runner.query('DROP INDEX idx_outbox_published_at');
    await runner.query("DELETE FROM outbox WHERE kind = 'move'");
    await runner.query('ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check');
    await runner.query(`
      ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check
        CHECK (kind IN ('command', 'fact', 'cancel', 'bandwidth'))`);
    await runner.query('DELETE FROM jobs WHERE machine IS NULL');
    await runner.query(`
      ALTER TABLE jobs ALTER COLUMN machine SET NOT NULL,
        DROP COLUMN batch_id, DROP COLUMN wave, DROP COLUMN plan_order, DROP COLUMN vm_ref, DROP COLUMN connection,
        DROP COLUMN admitted_at, DROP COLUMN not_before, DROP COLUMN queued_at`);
  }
}

async function jobs(runner: QueryRunner): Promise<void> {
  await runner.query(`
    ALTER TABLE jobs
      ADD COLUMN batch_id text,
      ADD COLUMN wave text,
      ADD COLUMN plan_order integer,
      ADD COLUMN vm_ref text,
      ADD COLUMN connection text,
      ADD COLUMN admitted_at timestamptz,
      ADD COLUMN not_before timestamptz,
      ADD COLUMN queued_at timestamptz,
      ALTER COLUMN machine DROP NOT NULL`);
  await runner.query('UPDATE jobs SET vm_ref = vm_name, admitted_at = created_at, queued_at = updated_at');
  await runner.query('ALTER TABLE jobs ALTER COLUMN vm_ref SET NOT NULL, ALTER COLUMN queued_at SET NOT NULL');
  await runner.query('CREATE INDEX idx_jobs_batch ON jobs (batch_id, plan_order) WHERE batch_id IS NOT NULL');
  // The state of a batch is counted from its jobs, again and again.
  await runner.query(`
    CREATE INDEX idx_jobs_batch_counts ON jobs (batch_id, wave, status, conversion_status, admitted_at)
    WHERE batch_id IS NOT NULL`);
  await runner.query('CREATE INDEX idx_jobs_batch_updated ON jobs (batch_id, updated_at) WHERE batch_id IS NOT NULL');
  await runner.query('CREATE INDEX idx_jobs_tags ON jobs USING gin (tags)');
  // Lists of jobs: by their status or their batch, newest first.
  await runner.query('DROP INDEX idx_jobs_status');
  await runner.query('CREATE INDEX idx_jobs_status ON jobs (status, created_at DESC, id DESC)');
  await runner.query(`
    CREATE INDEX idx_jobs_batch_created_at ON jobs (batch_id, created_at DESC, id DESC) WHERE batch_id IS NOT NULL`);
  await runner.query(`
    CREATE INDEX idx_jobs_waiting ON jobs (status, priority, queued_at)
    WHERE status IN ('pending', 'exported')`);
  await runner.query(`
    CREATE INDEX idx_jobs_unadmitted ON jobs (batch_id, plan_order)
    WHERE status = 'pending' AND admitted_at IS NULL`);
  await runner.query('ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check');
  await runner.query(`
    ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check
      CHECK (kind IN ('command', 'fact', 'cancel', 'bandwidth', 'move'))`);
  await runner.query('CREATE INDEX idx_outbox_published_at ON outbox (published_at) WHERE published_at IS NOT NULL');
  await runner.query('CREATE INDEX idx_inbox_received_at ON inbox (received_at)');
  await runner.query('CREATE INDEX idx_jobs_completed_at ON jobs (completed_at) WHERE completed_at IS NOT NULL');
  // One row: when the policy was carried out, and by whom it is being looked at.
  await runner.query(`
    CREATE TABLE retention (
      id integer PRIMARY KEY CHECK (id = 1),
      last_run_at timestamptz,
      looked_at timestamptz
    )`);
  await runner.query('INSERT INTO retention (id) VALUES (1)');
}

async function history(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE job_attempts (
      job_id text NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      activity text NOT NULL,
      attempt integer NOT NULL,
      asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      worker text,
      started_at timestamptz,
      ended_at timestamptz,
      outcome text NOT NULL CHECK (outcome IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
      duration_seconds double precision,
      failure jsonb,
      error_file text,
      PRIMARY KEY (job_id, activity, attempt)
    )`);
  await runner.query('CREATE INDEX idx_job_attempts_ended_at ON job_attempts (ended_at)');
  await runner.query(`
    CREATE TABLE job_events (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      job_id text NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      event text NOT NULL,
      time timestamptz NOT NULL,
      recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      attempt integer,
      by text,
      message text NOT NULL
    )`);
  await runner.query('CREATE INDEX idx_job_events_job ON job_events (job_id, seq)');
}

async function batches(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE batches (
      id text PRIMARY KEY,
      name text,
      version integer NOT NULL DEFAULT 1,
      requested_by text NOT NULL,
      waves jsonb NOT NULL,
      max_parallel integer,
      stop_after_failures integer,
      failures_forgiven integer NOT NULL DEFAULT 0,
      stopped_at timestamptz,
      cancelled_at timestamptz,
      cancelled_by text,
      completed_at timestamptz,
      notify_email text,
      callback_url text,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      traceparent text
    )`);
  await runner.query('CREATE INDEX idx_batches_created_at ON batches (created_at DESC, id DESC)');
  await runner.query('CREATE INDEX idx_batches_open ON batches (id) WHERE completed_at IS NULL');
  await runner.query(`
    CREATE TABLE hooks (
      id text PRIMARY KEY,
      batch_id text REFERENCES batches (id) ON DELETE CASCADE,
      wave text,
      job_id text REFERENCES jobs (id) ON DELETE CASCADE,
      scope text NOT NULL CHECK (scope IN ('vm', 'wave')),
      moment text NOT NULL CHECK (moment IN ('before', 'after')),
      round integer NOT NULL DEFAULT 1,
      hook jsonb NOT NULL,
      status text NOT NULL CHECK (status IN ('queued', 'completed', 'failed')),
      code integer,
      output text,
      failure jsonb,
      queued_at timestamptz NOT NULL,
      completed_at timestamptz,
      spent boolean NOT NULL DEFAULT false
    )`);
  await runner.query('CREATE INDEX idx_hooks_unspent ON hooks (batch_id) WHERE NOT spent');
  await runner.query("CREATE UNIQUE INDEX idx_hooks_job ON hooks (job_id, moment, round) WHERE scope = 'vm'");
  await runner.query(
    "CREATE UNIQUE INDEX idx_hooks_wave ON hooks (batch_id, wave, moment, round) WHERE scope = 'wave'",
  );
}

async function access(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE tokens (
      name text PRIMARY KEY,
      role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
      hash text NOT NULL UNIQUE,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL,
      expires_at timestamptz,
      last_used_at timestamptz
    )`);
  await runner.query(`
    CREATE TABLE audit (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      time timestamptz NOT NULL DEFAULT now(),
      caller text NOT NULL,
      role text,
      address text,
      action text NOT NULL,
      method text NOT NULL,
      path text NOT NULL,
      target text,
      status integer,
      code text,
      request text,
      trace_id text
    )`);
  await runner.query('CREATE INDEX idx_audit_time ON audit (time)');
  await runner.query('CREATE INDEX idx_audit_target ON audit (target, seq DESC)');
  await runner.query('CREATE INDEX idx_audit_caller ON audit (caller, seq DESC)');
  await runner.query(`
    CREATE TABLE idempotency_keys (
      caller text NOT NULL,
      key text NOT NULL,
      fingerprint_sealed text NOT NULL,
      owner text NOT NULL,
      seen_at timestamptz NOT NULL DEFAULT now(),
      status integer,
      answer_sealed text,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (caller, key)
    )`);
  await runner.query('CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (created_at)');
}

async function connections(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE vcenters (
      name text PRIMARY KEY,
      server text NOT NULL,
      username text NOT NULL,
      password_sealed text NOT NULL,
      datacenter text,
      tls jsonb NOT NULL,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL
    )`);
}
