/*
 * Taking apart what the SOAP library makes of an answer. An element with attributes becomes {attributes, $value}; the
 * prefix of `xsi:type` differs per server; a list of one collapses to its element; numbers stay text.
 */

/** A managed object: type `VirtualMachine`, id `vm-123`. */
export interface Ref {
  readonly type: string;
  readonly id: string;
}

/** As the SOAP library wants it: a plain string would lose the type. */
export const toSoap = (ref: Ref): object => ({ attributes: { type: ref.type }, $value: ref.id });

type Fields = Record<string, unknown>;
const isFields = (node: unknown): node is Fields => typeof node === 'object' && node !== null;

/** The child at a dotted path, or undefined. */
export function child(node: unknown, path: string): unknown {
  let at = node;
  for (const name of path.split('.')) {
    if (!isFields(at)) return undefined;
    at = at[name];
  }
  return at;
}

export const list = (node: unknown): readonly unknown[] =>
  node === undefined || node === null ? [] : Array.isArray(node) ? node : [node];

/** The elements of an ArrayOf<name>. */
export const arrayOf = (node: unknown, name: string): readonly unknown[] => list(child(node, name));

/** An element's text; an empty one is ''. */
export function text(node: unknown, path?: string): string | undefined {
  const at = path === undefined ? node : child(node, path);
  if (typeof at === 'string') return at;
  if (typeof at === 'number' || typeof at === 'boolean') return String(at);
  if (at instanceof Date) return at.toISOString();
  if (!isFields(at)) return undefined;
  return '$value' in at ? text(at.$value) : '';
}

export function number(node: unknown, path?: string): number | undefined {
  const value = text(node, path);
  if (value === undefined || value === '') return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

export const flag = (node: unknown, path?: string): boolean => /^(true|1)$/.test(text(node, path) ?? '');

export function ref(node: unknown, path?: string): Ref | undefined {
  const at = path === undefined ? node : child(node, path);
  const type = text(at, 'attributes.type');
  const id = text(at);
  return type === undefined || id === undefined || id === '' ? undefined : { type, id };
}

/** The local name of an element's `xsi:type`, for example `VirtualDisk`. */
export function typeName(node: unknown): string | undefined {
  const attributes = child(node, 'attributes');
  if (!isFields(attributes)) return undefined;
  const key = Object.keys(attributes).find((name) => name.endsWith(':type'));
  return key === undefined ? undefined : text(attributes[key])?.split(':').pop();
}
