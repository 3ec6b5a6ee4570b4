import { withCis } from './cis.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { child, list, text } from './values.js';

/** Objects of one question; vCenter takes 2,000. */
const BATCH_OBJECTS = 1_000;

type Ask = (method: string, path: string, body?: object) => Promise<unknown>;

/** `category:tag` of each of these VMs, sorted; those without tags are missing. */
export async function fetchTags(
  session: VimSession,
  vms: readonly string[],
  options: CallOptions = {},
): Promise<Map<string, string[]>> {
  if (vms.length === 0) return new Map();
  return withCis(session, options, async (ask) => {
    const attached = new Map<string, readonly string[]>();
    for (let at = 0; at < vms.length; at += BATCH_OBJECTS) {
      const ids = vms.slice(at, at + BATCH_OBJECTS).map((id) => ({ id, type: 'VirtualMachine' }));
      const path = '/tagging/tag-association?~action=list-attached-tags-on-objects';
      for (const entry of list(await ask('POST', path, { object_ids: ids })))
        attached.set(
          text(entry, 'object_id.id') ?? '',
          list(child(entry, 'tag_ids')).flatMap((id) => text(id) ?? []),
        );
    }
    // Only tags that are in use are looked up, each once.
    const names = await tagNames(ask, new Set([...attached.values()].flat()));
    return new Map(
      [...attached].map(([vm, ids]) => [vm, ids.flatMap((id) => names.get(id) ?? []).toSorted()] as const),
    );
  });
}

async function tagNames(ask: Ask, ids: ReadonlySet<string>): Promise<Map<string, string>> {
  const categories = new Map<string, string>();
  const names = new Map<string, string>();
  for (const id of ids) {
    const tag = await ask('GET', `/tagging/tag/id:${encodeURIComponent(id)}`);
    const category = text(tag, 'category_id') ?? '';
    if (!categories.has(category))
      categories.set(
        category,
        text(await ask('GET', `/tagging/category/id:${encodeURIComponent(category)}`), 'name') ?? '',
      );
    names.set(id, `${categories.get(category) ?? ''}:${text(tag, 'name') ?? ''}`);
  }
  return names;
}

/** Whether all wanted tags, `production` or `category:production`, are among these. Case does not matter. */
export function hasTags(tags: readonly string[], wanted: readonly string[]): boolean {
  const own = tags.map((tag) => tag.toLowerCase());
  return wanted.every((name) => {
    const tag = name.toLowerCase();
    return own.some((full) => full === tag || full.slice(full.indexOf(':') + 1) === tag);
  });
}
