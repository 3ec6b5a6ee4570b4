import type { Pool } from 'pg';

/** Every row of every table of the database as text, and the statements of its connections. */
export async function dumpOf(db: Pool): Promise<Map<string, string>> {
  const { rows: tables } = await db.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const dump = new Map<string, string>();
  for (const { name } of tables) {
    const { rows } = await db.query<{ row: string }>(`SELECT row::text AS row FROM ${name} AS row`);
    dump.set(name, rows.map(({ row }) => row).join('\n'));
  }
  const { rows: statements } = await db.query<{ query: string }>('SELECT query FROM pg_stat_activity');
  dump.set('pg_stat_activity', statements.map(({ query }) => query).join('\n'));
  return dump;
}
