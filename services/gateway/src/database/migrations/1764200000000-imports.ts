import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What targets and the import of outputs into libvirt need. */
export class Imports1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE jobs
        ADD COLUMN target_pool text,
        ADD COLUMN libvirt_import jsonb,
        ADD COLUMN import_attempt integer NOT NULL DEFAULT 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE jobs DROP COLUMN target_pool, DROP COLUMN libvirt_import, DROP COLUMN import_attempt',
    );
  }
}
