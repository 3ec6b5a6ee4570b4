const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Fields that name who is told: a path may be all that keeps others from writing there. */
const RECEIVERS: ReadonlySet<string> = new Set(['callback_url', 'slack_webhook', 'to']);

/** Where an address leads; what comes after its host is for the receiver alone. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return '[redacted]';
  const { protocol, host, pathname, search } = new URL(address);
  return `${protocol}//${host}/${pathname === '/' && search === '' ? '' : '[redacted]'}`;
}

/** A copy in which the receivers of callbacks and messages are shown so, however deep they lie. */
export function withoutPaths(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutPaths(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      RECEIVERS.has(key) && typeof item === 'string' && /^\s*https?:/i.test(item)
        ? shownAddress(item)
        : withoutPaths(item),
    ]),
  );
}
