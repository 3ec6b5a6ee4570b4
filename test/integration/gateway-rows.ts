import type { Pool } from 'pg';

/**
 * Many jobs as copies of one, `job-copy00001` and so on.
 * @param change SQL of a JSON object that is merged into each row; `n` is its number, from 1
 */
export async function copyJobs(db: Pool, model: string, count: number, change: string): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'jobs' AND is_generated = 'NEVER'`,
  );
  const columns = rows.map(({ name }) => name).join(', ');
  await db.query(
    `INSERT INTO jobs (${columns})
     SELECT ${columns} FROM (
       SELECT (jsonb_populate_record(jobs, jsonb_build_object('id', 'job-copy' || lpad(n::text, 5, '0')) || ${change})).*
       FROM jobs, generate_series(1, $2::int) AS n WHERE id = $1) AS copies`,
    [model, count],
  );
}
