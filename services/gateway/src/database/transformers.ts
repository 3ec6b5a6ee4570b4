import type { ValueTransformer } from 'typeorm';

/** PostgreSQL's bigint comes as a string; our byte counts stay below 2^53. */
export const bytes: ValueTransformer = {
  to: (value: number | null | undefined): unknown => value,
  from: (value: string | null): number | null => (value === null ? null : Number(value)),
};
