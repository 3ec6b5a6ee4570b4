import type { RetentionReport } from '@hyper2kvm/contracts';
import type { Sections } from '../config.js';

export type Policy = RetentionReport['policy'];

const DAY_MS = 24 * 3_600_000;

export const policyOf = ({ gateway: { retention } }: Sections): Policy => ({
  jobs_days: retention.jobs_days,
  artifacts_days: retention.artifacts_days,
  audit_days: retention.audit_days,
  messages_days: retention.messages_days,
});

/** What is older goes; undefined where nothing does. */
export const cutoff = (days: number | null, now: Date): Date | undefined =>
  days === null ? undefined : new Date(now.getTime() - days * DAY_MS);
