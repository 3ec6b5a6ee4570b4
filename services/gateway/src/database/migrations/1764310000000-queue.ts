import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the queue of thousands of waiting jobs needs: its order as a column, and an index for each question. */
export class Queue1764310000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Written by the database alone: 0 goes first; vCenters by one spelling, local files as ''; jobs without a window as ''.
    await runner.query(`
      ALTER TABLE jobs
        ADD COLUMN lane_rank smallint NOT NULL GENERATED ALWAYS AS
          (CASE priority WHEN 'high' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END) STORED,
        ADD COLUMN vcenter_key text NOT NULL GENERATED ALWAYS AS
          (CASE WHEN source->>'kind' = 'vsphere' THEN regexp_replace(lower(vcenter_server), ':443$', '') ELSE '' END) STORED,
        ADD COLUMN window_key text NOT NULL GENERATED ALWAYS AS (coalesce(options->>'window', '')) STORED`);
    await runner.query('DROP INDEX idx_jobs_waiting');
    await runner.query('DROP INDEX idx_jobs_unexported');
    // Who is let in next, wave by wave.
    await runner.query('DROP INDEX idx_jobs_unadmitted');
    await runner.query(`
      CREATE INDEX idx_jobs_unadmitted ON jobs (batch_id, wave, lane_rank, plan_order)
      WHERE status = 'pending' AND admitted_at IS NULL`);
    const order = 'lane_rank, queued_at, coalesce(plan_order, 0), id';
    await runner.query(`
      CREATE INDEX idx_jobs_pending ON jobs (${order})
      INCLUDE (total_bytes, window_key, not_before, next_retry_at, admitted_at, released_at) WHERE status = 'pending'`);
    await runner.query(`
      CREATE INDEX idx_jobs_convertible ON jobs (${order}) INCLUDE (total_bytes)
      WHERE status = 'exported' AND conversion_status = 'queued'`);
    const unreleased = "status = 'pending' AND released_at IS NULL AND admitted_at IS NOT NULL";
    await runner.query(`
      CREATE INDEX idx_jobs_unseen ON jobs (window_key, vcenter_key, ${order})
      WHERE ${unreleased} AND machine IS NULL`);
    await runner.query(`
      CREATE INDEX idx_jobs_releasable ON jobs (window_key, vcenter_key, coalesce(host, ''), ${order})
      WHERE ${unreleased} AND machine IS NOT NULL AND cleanup->>'status' IS DISTINCT FROM 'queued'`);
    await runner.query(`
      CREATE INDEX idx_jobs_windows ON jobs (window_key) WHERE status = 'pending' AND window_key <> ''`);
    await runner.query(`
      CREATE INDEX idx_jobs_released ON jobs (status, released_at)
      WHERE status IN ('pending', 'exporting') AND released_at IS NOT NULL`);
    // What the last ones took.
    for (const phase of ['export', 'conversion'])
      await runner.query(`
        CREATE INDEX idx_jobs_${phase}_completed_at ON jobs (${phase}_completed_at DESC)
        WHERE ${phase}_completed_at IS NOT NULL`);
    await runner.query(`
      CREATE TABLE release_turn (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        picks bigint NOT NULL DEFAULT 0,
        guarded bigint NOT NULL DEFAULT 0,
        high bigint NOT NULL DEFAULT 0,
        normal bigint NOT NULL DEFAULT 0,
        low bigint NOT NULL DEFAULT 0
      )`);
    await runner.query('INSERT INTO release_turn DEFAULT VALUES');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE release_turn');
    for (const index of [
      'pending',
      'convertible',
      'unseen',
      'releasable',
      'windows',
      'released',
      'export_completed_at',
      'conversion_completed_at',
    ])
      await runner.query(`DROP INDEX idx_jobs_${index}`);
    await runner.query('DROP INDEX idx_jobs_unadmitted');
    await runner.query('ALTER TABLE jobs DROP COLUMN lane_rank, DROP COLUMN vcenter_key, DROP COLUMN window_key');
    await runner.query(`
      CREATE INDEX idx_jobs_unexported ON jobs (priority, created_at) WHERE status IN ('pending', 'exporting')`);
    await runner.query(`
      CREATE INDEX idx_jobs_unadmitted ON jobs (batch_id, plan_order)
      WHERE status = 'pending' AND admitted_at IS NULL`);
    await runner.query(`
      CREATE INDEX idx_jobs_waiting ON jobs (status, priority, queued_at) WHERE status IN ('pending', 'exported')`);
  }
}
