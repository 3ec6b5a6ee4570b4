/**
 * Whether an allow-list has this address: it begins with one of the list's. Without a list every address may be called.
 * Compared as URLs, so that `https://cmdb.example.com` does not stand for `https://cmdb.example.com.evil`, nor `/a/` for `/a/../b`.
 */
export const mayBeCalled = (url: string, prefixes: readonly string[] | undefined): boolean =>
  prefixes?.some((prefix) => new URL(url).href.startsWith(new URL(prefix).href)) ?? true;
