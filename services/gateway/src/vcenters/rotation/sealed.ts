import { Sealed } from '@hyper2kvm/contracts';

/** A sealed secret within a JSON value. */
export interface Found {
  /** Keys and indexes from the root, as PostgreSQL's `#>>` takes them. */
  readonly path: readonly string[];
  readonly sealed: string;
}

/** By the names of their fields (`…_sealed`), wherever they are; a value that is a text is one itself. */
export function sealedIn(value: unknown, path: readonly string[] = []): Found[] {
  if (typeof value === 'string') {
    const named = path.length === 0 || path.at(-1)?.endsWith('_sealed') === true;
    return named && Sealed.safeParse(value).success ? [{ path, sealed: value }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => sealedIn(item, [...path, key]));
}
