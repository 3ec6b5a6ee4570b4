import path from 'node:path';
import { UsageError } from '../errors.js';
import { FILE, type Value } from './kinds.js';
import { fileAt } from './location.js';
import type { ConfigFile, Said } from './read.js';
import type { Setting } from './table.js';
import { expand, hasVariables } from './variables.js';

/** What flags said, by their names; undefined where the user said nothing. */
export type Flags = Readonly<Record<string, unknown>>;

/** Where a value comes from. */
export interface Origin {
  readonly from: 'flag' | 'env' | 'context' | 'file';
  /** `--url`, `HYPER2KVM_URL`, the context's name, the file's path. */
  readonly name: string;
}

export const originWord = (origin: Origin | undefined): string => {
  if (origin === undefined) return 'default';
  return origin.from === 'file' ? 'file' : `${origin.from} ${origin.name}`;
};

/** A value that somebody said. */
export interface Saying {
  readonly origin: Origin;
  /** @throws UsageError where it is not possible, or names a variable that is not set */
  read(): Value;
}

/** One of those that say values: the command line, the environment, a context, the file. */
export interface Place {
  readonly from: Origin['from'];
  /** As errors and notes call it. */
  readonly shown: string;
  say(setting: Setting): Saying | undefined;
}

const ofFlag = (name: string, value: Value): Saying => ({
  origin: { from: 'flag', name: `--${name}` },
  read: () => value,
});

export const flagPlace = (flags: Flags): Place => ({
  from: 'flag',
  shown: 'the command line',
  say({ flag, negation }) {
    // The parser has checked it, or the request's schema will.
    if (negation !== undefined && flags[negation] === true) return ofFlag(negation, false);
    const value = flag === undefined ? undefined : flags[flag];
    return flag === undefined || value === undefined ? undefined : ofFlag(flag, value as Value);
  },
});

export const envPlace = (env: NodeJS.ProcessEnv): Place => ({
  from: 'env',
  shown: 'the environment',
  say({ env: names = [], ofEnv, kind }) {
    for (const name of names) {
      const text = env[name];
      if (text === undefined || text === '') continue;
      const value = ofEnv?.(name, text);
      if (ofEnv !== undefined && value === undefined) continue;
      return {
        origin: { from: 'env', name },
        read: () => value ?? checked(`the environment variable ${name}`, () => kind.read(text, true)),
      };
    }
    return undefined;
  },
});

export const filePlace = (file: ConfigFile, env: NodeJS.ProcessEnv): Place =>
  written(file.common, { from: 'file', name: file.path }, file, env);

export const contextPlace = (name: string, said: Said, file: ConfigFile, env: NodeJS.ProcessEnv): Place =>
  written(said, { from: 'context', name }, file, env);

function written(said: Said, origin: Origin, file: ConfigFile, env: NodeJS.ProcessEnv): Place {
  const at = origin.from === 'context' ? `contexts.${origin.name}.` : '';
  return {
    from: origin.from,
    shown: origin.from === 'context' ? `context ${origin.name}` : file.path,
    say({ key, kind }) {
      const raw = said.get(key);
      if (raw === undefined) return undefined;
      const read = (): Value => {
        if (!hasVariables(raw)) return raw;
        return checked(`${file.path}: ${at}${key}`, () => kind.read(expand(String(raw), env), true));
      };
      return {
        origin,
        read: () => {
          const value = read();
          return kind === FILE ? fileAt(String(value), path.dirname(file.path), env) : value;
        },
      };
    },
  };
}

function checked(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${what}: ${(error as Error).message}`);
  }
}
