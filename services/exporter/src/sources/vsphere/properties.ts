import { VimFault, isGone } from './faults.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { child, list, ref, text, toSoap, type Ref } from './values.js';

/** Properties by their path; one that an object does not have is missing. */
export type Properties = Readonly<Record<string, unknown>>;

export interface FoundObject {
  readonly ref: Ref;
  readonly properties: Properties;
}

const PAGE_OBJECTS = 500;

/** Reads properties of one object. @throws VimFault ManagedObjectNotFound */
export async function readProperties(
  session: VimSession,
  object: Ref,
  paths: readonly string[],
  options: CallOptions = {},
): Promise<Properties> {
  const answer = await session.call(
    'RetrievePropertiesEx',
    session.service.propertyCollector,
    {
      specSet: [
        { propSet: [{ type: object.type, pathSet: paths }], objectSet: [{ obj: toSoap(object), skip: false }] },
      ],
      options: {},
    },
    options,
  );
  return propertiesOf(list(child(answer, 'objects'))[0]);
}

/** Reads the same properties of several objects of one type; those that are gone are missing. */
export async function readMany(
  session: VimSession,
  objects: readonly Ref[],
  paths: readonly string[],
  options: CallOptions = {},
): Promise<FoundObject[]> {
  return objects.length === 0 ? [] : readPages(session, specOfMany(objects, paths), options);
}

/** What to ask for properties of several objects of one type. */
export function specOfMany(objects: readonly Ref[], paths: readonly string[]): object {
  const distinct = [...new Map(objects.map((object) => [object.id, object])).values()];
  return {
    propSet: [{ type: distinct[0]?.type ?? '', pathSet: paths }],
    objectSet: distinct.map((object) => ({ obj: toSoap(object), skip: false })),
    reportMissingObjectsInResults: true,
  };
}

async function readPages(session: VimSession, spec: object, options: CallOptions): Promise<FoundObject[]> {
  const { propertyCollector } = session.service;
  const request = { specSet: [spec], options: { maxObjects: PAGE_OBJECTS } };
  const objects: FoundObject[] = [];
  let page = await session.call('RetrievePropertiesEx', propertyCollector, request, options);
  for (;;) {
    objects.push(...found(page));
    const token = text(page, 'token');
    if (token === undefined || token === '') return objects;
    page = await session.call('ContinueRetrievePropertiesEx', propertyCollector, { token }, options);
  }
}

/** What to list: types of objects, and the properties of each. */
type Types = readonly { readonly type: string; readonly paths: readonly string[] }[];

/** Reads properties of all objects of some types beneath a folder or datacenter: one view, in pages. */
export async function listTypes(
  session: VimSession,
  container: Ref,
  types: Types,
  options: CallOptions = {},
): Promise<FoundObject[]> {
  try {
    return await listView(session, container, types, options);
  } catch (error) {
    // A view and its pages are the session's: one that was renewed in between does not know them.
    if (!isGone(error) && !(error instanceof VimFault && error.fault === 'InvalidArgument')) throw error;
    return listView(session, container, types, options);
  }
}

async function listView(
  session: VimSession,
  container: Ref,
  types: Types,
  options: CallOptions,
): Promise<FoundObject[]> {
  const { viewManager } = session.service;
  const view = ref(
    await session.call(
      'CreateContainerView',
      viewManager,
      { container: toSoap(container), type: types.map(({ type }) => type), recursive: true },
      options,
    ),
  );
  if (view === undefined) throw new Error('CreateContainerView gave no view');
  try {
    const traversal = {
      attributes: { 'xsi:type': 'TraversalSpec' },
      name: 'view',
      type: view.type,
      path: 'view',
      skip: false,
    };
    const spec = {
      propSet: types.map(({ type, paths }) => ({ type, pathSet: paths })),
      objectSet: [{ obj: toSoap(view), skip: true, selectSet: [traversal] }],
    };
    return await readPages(session, spec, options);
  } finally {
    // A view that stays is vCenter's to clear away with the session.
    await session.call('DestroyView', view, {}, options).catch(() => {});
  }
}

/** Reads properties of all objects of a type beneath a folder or datacenter. */
export async function listObjects(
  session: VimSession,
  container: Ref,
  type: string,
  paths: readonly string[],
  options: CallOptions = {},
): Promise<FoundObject[]> {
  return listTypes(session, container, [{ type, paths }], options);
}

const found = (answer: unknown): FoundObject[] =>
  list(child(answer, 'objects')).flatMap((object) => {
    const at = ref(object, 'obj');
    return at === undefined ? [] : [{ ref: at, properties: propertiesOf(object) }];
  });

function propertiesOf(object: unknown): Properties {
  return Object.fromEntries(
    list(child(object, 'propSet')).map((property) => [text(property, 'name') ?? '', child(property, 'val')]),
  );
}
