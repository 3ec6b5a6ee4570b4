import type { Machine } from './machine.js';

/** `warning`: it works, but not as well as it could, or only a part of what one may want is missing. `skipped`: not asked. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a check found. */
export interface Outcome {
  readonly verdict: Verdict;
  /** In a few words: a version, a size, what is missing. */
  readonly found: string;
  /** What it means for the user. */
  readonly why?: string | undefined;
  /** Command lines, or sentences, that mend it; in their order. */
  readonly fix?: readonly string[] | undefined;
}

export interface Check {
  /** Stable, for --only and --json. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  /** It takes more than some seconds, and both cores: run alone, left out by --quick. */
  readonly slow?: boolean;
  readonly run: (machine: Machine, signal: AbortSignal) => Promise<Outcome>;
}

export const GROUPS = {
  programs: 'Programs',
  services: 'Services',
  conversion: 'Conversion',
  storage: 'Storage and permissions',
  vcenter: 'vCenter',
} as const;
export type Group = keyof typeof GROUPS;

export const ok = (found: string, why?: string): Outcome => ({ verdict: 'ok', found, why });
export const skipped = (found: string, fix?: readonly string[]): Outcome => ({ verdict: 'skipped', found, fix });
export const warning = (found: string, why: string, fix: readonly string[] = []): Outcome => ({
  verdict: 'warning',
  found,
  why,
  fix,
});
export const failed = (found: string, why: string, fix: readonly string[] = []): Outcome => ({
  verdict: 'failed',
  found,
  why,
  fix,
});
