import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { printable } from '../format.js';
import type { Value } from './kinds.js';
import { originWord, type Origin } from './places.js';
import type { Resolution } from './resolve.js';
import { SETTINGS, type Setting } from './table.js';

const HIDDEN = '(set; not shown)';

/** A setting as it is shown: no secret, and a problem in place of a value that cannot be read. */
export interface Shown {
  readonly key: string;
  readonly value: Value | undefined;
  readonly origin: Origin | undefined;
  readonly secret: boolean;
  readonly problem: string | undefined;
  /** What counts where nothing was said, in words. */
  readonly otherwise: string | undefined;
}

export function shown(setting: Setting, all: Resolution): Shown {
  const { key, secret = false, defaultWord: otherwise } = setting;
  try {
    const { value, origin } = all.of(key as Parameters<Resolution['of']>[0]);
    return {
      key,
      value: secret && value !== undefined ? HIDDEN : value,
      origin,
      secret,
      problem: undefined,
      otherwise,
    };
  } catch (error) {
    return { key, value: undefined, origin: undefined, secret, problem: (error as Error).message, otherwise };
  }
}

/** All settings; `gateway` is the address that is used where none was said. */
export const view = (all: Resolution, gateway: string): readonly Shown[] => {
  const rows = SETTINGS.map((setting) => shown(setting, all));
  const isNamed = rows.some(({ key, value }) => key === 'daemons.python.socket' && value !== undefined);
  return rows.map((row) =>
    row.key === 'daemons.go.url' && row.value === undefined && row.problem === undefined && !isNamed
      ? { ...row, value: gateway }
      : row,
  );
};

export const cells = ({ key, value, origin, problem, otherwise }: Shown): string[] => {
  if (problem !== undefined) return [key, `(${printable(problem)})`, '-'];
  if (value !== undefined) return [key, printable(String(value)), originWord(origin)];
  return otherwise === undefined ? [key, '-', '-'] : [key, `(${otherwise.replaceAll('`', '')})`, 'default'];
};

/** The settings that have a value, as the file would hold them. */
export function asYaml(rows: readonly Shown[]): string {
  const tree: Record<string, unknown> = {};
  for (const { key, value, problem } of rows) {
    if (value === undefined && problem === undefined) continue;
    const parts = key.split('.');
    let node = tree;
    for (const part of parts.slice(0, -1)) node = (node[part] ??= {}) as Record<string, unknown>;
    node[parts.at(-1) ?? ''] = value ?? `(${problem})`;
  }
  return isDeepStrictEqual(tree, {}) ? '' : stringify(tree, { lineWidth: 0 }).trimEnd();
}

export const asJson = (rows: readonly Shown[]): Record<string, unknown> =>
  Object.fromEntries(
    rows.map(({ key, value, origin, secret, problem }) => [
      key,
      {
        value: secret ? null : (value ?? null),
        ...(secret ? { secret: true, set: value !== undefined } : {}),
        ...(problem === undefined ? {} : { problem }),
        origin: originWord(origin),
      },
    ]),
  );
