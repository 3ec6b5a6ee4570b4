import { DataSource, type DataSourceOptions } from 'typeorm';
import { AuditRow, IdempotencyRow, TokenRow } from './access.entity.js';
import { Batch, HookRow } from './batch.entity.js';
import { AttemptRow, JobEventRow } from './history.entity.js';
import { InboxRow } from './inbox.entity.js';
import { Job } from './job.entity.js';
import { Jobs1764000000000 } from './migrations/1764000000000-jobs.js';
import { Exports1764100000000 } from './migrations/1764100000000-exports.js';
import { Imports1764200000000 } from './migrations/1764200000000-imports.js';
import { Control1764300000000 } from './migrations/1764300000000-control.js';
import { Queue1764310000000 } from './migrations/1764310000000-queue.js';
import { Notifications1764400000000 } from './migrations/1764400000000-notifications.js';
import { Uncleared1764410000000 } from './migrations/1764410000000-uncleared.js';
import { SnakeCase } from './naming.js';
import { OutboxRow } from './outbox.entity.js';
import { VcenterRow } from './vcenter.entity.js';

/** Any constant: gateways that start together migrate one after the other. */
const MIGRATION_LOCK = 724_512_001;

/** `url`, or its parts. */
export interface DatabaseSettings {
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly name?: string | undefined;
  readonly poolSize: number;
}

export function dataSourceOptions(database: DatabaseSettings): DataSourceOptions {
  return {
    type: 'postgres',
    ...(database.url === undefined
      ? {
          host: database.host ?? '127.0.0.1',
          port: database.port ?? 5432,
          username: database.user ?? 'hyper2kvm',
          password: database.password ?? '',
          database: database.name ?? 'hyper2kvm',
        }
      : { url: database.url }),
    entities: [
      Job,
      OutboxRow,
      InboxRow,
      AttemptRow,
      JobEventRow,
      Batch,
      HookRow,
      TokenRow,
      AuditRow,
      IdempotencyRow,
      VcenterRow,
    ],
    migrations: [
      Jobs1764000000000,
      Exports1764100000000,
      Imports1764200000000,
      Control1764300000000,
      Queue1764310000000,
      Notifications1764400000000,
      Uncleared1764410000000,
    ],
    migrationsTransactionMode: 'all',
    synchronize: false,
    namingStrategy: new SnakeCase(),
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    poolSize: database.poolSize,
    applicationName: 'hyper2kvm-gateway',
    // A server that went away without a word must not hold a request for ever.
    extra: { connectionTimeoutMillis: 5000, query_timeout: 30_000, keepAlive: true },
  };
}

/** Connects and brings the schema up to date. */
export async function connectDatabase(options: DataSourceOptions): Promise<DataSource> {
  const source = await new DataSource(options).initialize();
  try {
    await migrate(source);
  } catch (error) {
    await source.destroy();
    throw error;
  }
  return source;
}

/** Runs the pending migrations under an advisory lock. */
export async function migrate(source: DataSource): Promise<void> {
  const holder = source.createQueryRunner();
  await holder.connect();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await source.runMigrations();
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await holder.release();
  }
}
