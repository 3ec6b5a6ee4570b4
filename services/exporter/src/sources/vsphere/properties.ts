import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { child, list, ref, text, toSoap, type Ref } from './values.js';

/** Properties by their path; one that an object does not have is missing. */
export type Properties = Readonly<Record<string, unknown>>;

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

/** Reads properties of all objects of a type beneath a folder or datacenter. */
export async function listObjects(
  session: VimSession,
  container: Ref,
  type: string,
  paths: readonly string[],
  options: CallOptions = {},
): Promise<{ ref: Ref; properties: Properties }[]> {
  const { viewManager, propertyCollector } = session.service;
  const view = ref(
    await session.call(
      'CreateContainerView',
      viewManager,
      { container: toSoap(container), type: [type], recursive: true },
      options,
    ),
  );
  if (view === undefined) throw new Error('CreateContainerView gave no view');
  const objects: { ref: Ref; properties: Properties }[] = [];
  try {
    const traversal = {
      attributes: { 'xsi:type': 'TraversalSpec' },
      name: 'view',
      type: view.type,
      path: 'view',
      skip: false,
    };
    let page = await session.call(
      'RetrievePropertiesEx',
      propertyCollector,
      {
        specSet: [
          {
            propSet: [{ type, pathSet: paths }],
            objectSet: [{ obj: toSoap(view), skip: true, selectSet: [traversal] }],
          },
        ],
        options: { maxObjects: PAGE_OBJECTS },
      },
      options,
    );
    for (;;) {
      for (const object of list(child(page, 'objects'))) {
        const found = ref(object, 'obj');
        if (found !== undefined) objects.push({ ref: found, properties: propertiesOf(object) });
      }
      const token = text(page, 'token');
      if (token === undefined || token === '') return objects;
      page = await session.call('ContinueRetrievePropertiesEx', propertyCollector, { token }, options);
    }
  } finally {
    // A view that stays is vCenter's to clear away with the session.
    await session.call('DestroyView', view, {}, options).catch(() => {});
  }
}

function propertiesOf(object: unknown): Properties {
  return Object.fromEntries(
    list(child(object, 'propSet')).map((property) => [text(property, 'name') ?? '', child(property, 'val')]),
  );
}
