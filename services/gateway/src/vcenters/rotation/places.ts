import type { SecretsRotated } from '@hyper2kvm/contracts';

/** A column that holds sealed secrets. Names and conditions are ours, never from a request: they are written into statements. */
export interface Place {
  readonly counted: keyof SecretsRotated['resealed'];
  readonly table: string;
  /** Columns of the primary key, with their types. */
  readonly key: Readonly<Record<string, string>>;
  readonly column: string;
  /** A JSON value with secrets somewhere in it, or a text that is one. */
  readonly json: boolean;
  /** Which rows may have one that still matters. */
  readonly where: string;
}

export const PLACES: readonly Place[] = [
  {
    counted: 'vcenters',
    table: 'vcenters',
    key: { name: 'text' },
    column: 'password_sealed',
    json: false,
    where: 'true',
  },
  {
    counted: 'jobs',
    table: 'jobs',
    key: { id: 'text' },
    column: 'source',
    json: true,
    where: "jsonb_exists(source, 'password_sealed')",
  },
  {
    counted: 'jobs',
    table: 'jobs',
    key: { id: 'text' },
    column: 'options',
    json: true,
    where: "jsonb_exists(options, 'luks_keys_sealed')",
  },
  {
    counted: 'messages',
    table: 'outbox',
    key: { id: 'uuid' },
    column: 'data',
    json: true,
    // What has left is not read again.
    where: "published_at IS NULL AND position('_sealed\"' IN data::text) > 0",
  },
  {
    counted: 'idempotency_keys',
    table: 'idempotency_keys',
    key: { caller: 'text', key: 'text' },
    column: 'answer_sealed',
    json: false,
    where: 'answer_sealed IS NOT NULL',
  },
  {
    counted: 'idempotency_keys',
    table: 'idempotency_keys',
    key: { caller: 'text', key: 'text' },
    column: 'fingerprint_sealed',
    json: false,
    where: 'true',
  },
];
