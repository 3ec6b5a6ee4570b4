/** Page size of lists: the gateway's largest. */
const PAGE = 500;

/**
 * All pages of a list, or as many as hold `limit` items.
 * @param look asks for a page by its query
 */
export async function paged<Item>(
  filter: Readonly<Record<string, string | undefined>>,
  limit: number | undefined,
  look: (query: string) => Promise<{ items: readonly Item[]; next: string | null }>,
): Promise<Item[]> {
  const found: Item[] = [];
  const most = limit ?? Infinity;
  let cursor: string | null = null;
  do {
    const left = Math.min(PAGE, most - found.length);
    const query = new URLSearchParams({ limit: String(left) });
    for (const [key, value] of Object.entries(filter)) if (value !== undefined) query.set(key, value);
    if (cursor !== null) query.set('cursor', cursor);
    const page: { items: readonly Item[]; next: string | null } = await look(query.toString());
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && found.length < most);
  return found;
}
