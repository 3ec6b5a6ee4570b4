import { readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { ref, text, type Ref } from './values.js';

/** Deeper than any inventory; a loop would be a defect of the server. */
const MAX_DEPTH = 64;

export interface InventoryPlace {
  /** `/DC0/vm/web/production-db`; a "/" within a name is vCenter's %2f. */
  readonly path: string;
  /** Its name. */
  readonly datacenter: string | undefined;
  /** `/Europe/DC0` */
  readonly datacenterPath: string | undefined;
}

/** What an object has to tell for its place to be found. vCenter refuses properties that a type does not have. */
export const parentProperties = (type: string): readonly string[] => {
  if (type === 'VirtualMachine') return ['name', 'parent', 'parentVApp'];
  // The parent of a vApp is a resource pool, which is no part of the path.
  if (type === 'VirtualApp') return ['name', 'parentFolder', 'parentVApp'];
  return ['name', 'parent'];
};

export const parentOf = (properties: Readonly<Record<string, unknown>>): Ref | undefined =>
  ref(properties.parentFolder) ?? ref(properties.parent) ?? ref(properties.parentVApp);

/** Where an object lies, from its parents. */
export async function placeOf(session: VimSession, object: Ref, options: CallOptions = {}): Promise<InventoryPlace> {
  const ancestors: { object: Ref; name: string }[] = [];
  let at: Ref | undefined = object;
  for (let depth = 0; at !== undefined && depth < MAX_DEPTH; depth++) {
    if (at.id === session.service.rootFolder.id) break;
    const properties = await readProperties(session, at, parentProperties(at.type), options);
    ancestors.unshift({ object: at, name: text(properties.name) ?? '' });
    at = parentOf(properties);
  }
  return toPlace(ancestors);
}

/** @param ancestors from the one beneath the root folder to the object itself; names as vCenter has them */
export function toPlace(ancestors: readonly { object: Ref; name: string }[]): InventoryPlace {
  const path = (count: number): string =>
    `/${ancestors
      .slice(0, count)
      .map(({ name }) => name)
      .join('/')}`;
  const at = ancestors.findIndex(({ object: { type } }) => type === 'Datacenter');
  return {
    path: path(ancestors.length),
    datacenter: at < 0 ? undefined : plainName(ancestors[at]?.name),
    datacenterPath: at < 0 ? undefined : path(at + 1),
  };
}

/** vCenter escapes three characters in names. */
export const plainName = (name: string | undefined): string =>
  (name ?? '').replaceAll(/%2f/gi, '/').replaceAll(/%5c/gi, '\\').replaceAll('%25', '%');
