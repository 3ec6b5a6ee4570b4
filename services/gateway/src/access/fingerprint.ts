import { createHash } from 'node:crypto';

/** Equal for the same request, however its JSON was ordered. */
export const fingerprint = (method: string, url: string, body: unknown): string =>
  createHash('sha256')
    .update(canonical([method, url, body]))
    .digest('hex');

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
