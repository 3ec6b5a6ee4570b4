/** `parameters`: what TypeORM's errors carry of a failed query. */
const SECRET =
  /^parameters$|pass(word|wd|phrase|code)?($|_sealed|s$)|secret|token|authorization|cookie|credential|private_?key|luks|^key$|_key$|_sealed$/i;
/** `scheme://user:password@host` */
const URL_PASSWORD = /(\w+:\/\/[^\s/:@]*:)[^\s/@]+@/g;
const CENSOR = '[redacted]';
const MAX_DEPTH = 8;

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
};

/** A text without the passwords of URLs. */
export const redactUrls = (text: string): string =>
  text.includes('://') ? text.replaceAll(URL_PASSWORD, `$1${CENSOR}@`) : text;

/**
 * A copy without the values of keys that name secrets, however deep. Errors stay errors (the
 * logger's serializer makes objects of them, which come here too); other class instances give their enumerable fields.
 */
export function redact(value: unknown, depth = 0, above: readonly unknown[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error && depth <= 1) return value;
  if (value instanceof Date || ('toJSON' in value && typeof value.toJSON === 'function' && !isPlain(value)))
    return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.includes(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deep]';
  const next = [...above, value];
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1, next));
  if (value instanceof Error)
    return redact(
      Object.assign(
        { type: value.name, message: value.message, stack: value.stack },
        Object.fromEntries(Object.entries(value)),
      ),
      depth,
      above,
    );
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET.test(key) && item !== undefined && item !== null ? CENSOR : redact(item, depth + 1, next),
    ]),
  );
}
