import { BatchId, HookId, JobId, type DeadLetter, type DeadLetterDetail } from '@hyper2kvm/contracts';
import { redact, redactUrls, type StoredLetter } from '@hyper2kvm/runtime';
import { z } from 'zod';
import { withoutPaths } from '../http/shown-address.js';
import { withoutQueries } from '../http/without-queries.js';

/** Longer texts that are no JSON are cut. */
const TEXT_LIMIT = 16_384;
const SEALED = /\bv1\.[\w-]+\.[\w-]{8,}\.[\w-]{8,}/g;
/** `password: …`, `"api_token":"…"`, also within a text that is only nearly JSON. */
const KEY_AND_VALUE =
  /("?[\w-]*(?:pass(?:word|phrase)?|secret|token|credential)[\w-]*"?\s*[:=]\s*)("[^"]*"?|[^\s,;}&]+)/gi;

/** The rest of an address that a callback goes to, within a text that is only nearly JSON. */
const RECEIVER = /("?(?:callback_url|slack_webhook)"?\s*[:=]\s*"?https?:\/\/[^\s/?#"]+)[/?#][^\s"]*/gi;

const About = z.union([JobId, BatchId, HookId]);

const header = (letter: StoredLetter, name: string): string | undefined =>
  letter.headers.find(([key]) => key.toLowerCase() === name)?.[1][0];

/** The job, batch or hook of a message: of one that cannot be read, as its subject says. */
const aboutOf = (letter: StoredLetter): string | null =>
  [header(letter, 'ce-subject'), letter.subject.split('.').at(-1)].find((name) => About.safeParse(name).success) ??
  null;

export const toLetter = (letter: StoredLetter): DeadLetter => ({
  id: String(letter.seq),
  subject: letter.subject,
  type: header(letter, 'ce-type') ?? null,
  about: aboutOf(letter),
  reason: redactText(letter.reason),
  source: letter.source,
  time: letter.time.toISOString(),
  bytes: letter.bytes,
});

export const toLetterDetail = (letter: StoredLetter): DeadLetterDetail => ({
  ...toLetter(letter),
  headers: redact(
    Object.fromEntries(letter.headers.map(([name, values]) => [name, redactText(values.join(', '))])),
  ) as Record<string, string>,
  data: letter.data === null ? null : readBody(letter.data),
});

function readBody(body: Uint8Array): unknown {
  const text = new TextDecoder().decode(body);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? redactText(value) : withoutUrls(withoutPaths(redact(value)));
  } catch {
    return redactText(text.slice(0, TEXT_LIMIT));
  }
}

/** The secrets of addresses stand under any key, that of a hook under `url`. */
function withoutUrls(value: unknown): unknown {
  if (typeof value === 'string') return withoutQueries(redactUrls(value));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutUrls(item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutUrls(item)]));
}

/** A text of any kind, without what looks like a secret. */
const redactText = (text: string): string =>
  withoutQueries(redactUrls(text).replaceAll(RECEIVER, '$1/[redacted]'))
    .replaceAll(SEALED, '[redacted]')
    .replaceAll(KEY_AND_VALUE, '$1[redacted]');
