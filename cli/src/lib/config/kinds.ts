import { HttpUrl, VcenterRequest } from '@hyper2kvm/contracts';
import { z } from 'zod';
import { parseAddress } from '../address.js';

export type Value = string | number | boolean;

/** What a setting may be. */
export interface Kind {
  /** As the documentation calls it. */
  readonly name: string;
  /**
   * A value of the file, or text of the environment and of `config set`.
   * @throws Error saying what is expected, without the value: it may be a secret
   */
  read(value: unknown, isText: boolean): Value;
  /** All that it may be, where these are few. */
  readonly choices?: readonly string[];
}

function text(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') throw new Error('it has to be text: put it into quotes');
  if (typeof value !== 'string') throw new Error('it has to be text');
  if (value === '') throw new Error('it is empty');
  if (/\p{Cc}/u.test(value)) throw new Error('it holds a control character');
  return value;
}

const kind = (name: string, check: (value: string) => void = () => {}, choices?: readonly string[]): Kind => ({
  name,
  read: (value) => {
    const read = text(value);
    check(read);
    return read;
  },
  ...(choices === undefined ? {} : { choices }),
});

/** Of the contracts: the gateway would refuse it, too. */
const schema = (name: string, type: z.ZodType): Kind =>
  kind(name, (value) => {
    const parsed = type.safeParse(value);
    if (!parsed.success) throw new Error(parsed.error.issues[0]?.message ?? 'it is not possible');
  });

export const TEXT = kind('text');
export const SERVER = schema('host', VcenterRequest.shape.server);
export const ACCOUNT = schema('text', VcenterRequest.shape.username);
export const THUMBPRINT = schema('SHA-256', VcenterRequest.shape.thumbprint);
export const EMAIL = schema('e-mail address', z.email('it has to be an e-mail address'));

/** parseAddress repeats no login. */
export const GATEWAY_URL = kind('address', (value) => void parseAddress(value));

export const SOCKET = kind('path', (value) => {
  if (!value.startsWith('/')) throw new Error('it has to be an absolute path, for example /run/hyper2kvm/gateway.sock');
});

/** On another machine: nothing is looked up here. */
export const REMOTE_PATH = kind('path', (value) => {
  if (!value.startsWith('/')) throw new Error('it has to be an absolute path: it is on the converting machine');
});

/** On this machine; relative to the folder of the file that says it. */
export const FILE = kind('file');

export const TOKEN = kind('token', (value) => {
  if (!/^[!-~]+$/.test(value)) throw new Error('it holds a blank or another character that no token has');
});

/** Of Slack itself, or of what takes the same messages. */
export const WEBHOOK = kind('address', (value) => {
  if (!HttpUrl.safeParse(value).success)
    throw new Error('it has to be an address, for example https://hooks.slack.com/services/…');
});

export const CONTEXT_NAME = kind('name', (value) => {
  if (!/^[A-Za-z0-9][\w.@-]{0,63}$/.test(value))
    throw new Error(
      'it has to be a name of at most 64 letters, digits, ".", "_", "-" and "@", that begins with a letter or digit',
    );
});

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LEVELS)[number];
export const LEVEL = kind(
  LEVELS.join(', '),
  (value) => {
    if (!(LEVELS as readonly string[]).includes(value)) throw new Error(`it has to be one of ${LEVELS.join(', ')}`);
  },
  LEVELS,
);

const WORDS = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

export const BOOLEAN: Kind = {
  name: 'true or false',
  choices: ['true', 'false'],
  read(value, isText) {
    const read = isText && typeof value === 'string' ? WORDS.get(value.toLowerCase()) : value;
    if (typeof read !== 'boolean') throw new Error('it has to be true or false');
    return read;
  },
};

/** A day: longer than any answer takes. */
const MOST_SECONDS = 86_400;

export const SECONDS: Kind = {
  name: 'seconds',
  read(value, isText) {
    const read = isText && typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof read !== 'number' || !(read > 0) || read > MOST_SECONDS)
      throw new Error(`it has to be a number of seconds above 0, at most ${MOST_SECONDS}`);
    return read;
  },
};
