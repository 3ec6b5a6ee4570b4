/** One host however it is written; exporters take `https://vcenter.example.com/ui` as `vcenter.example.com`, too. */
export const sameServer = (one: string, other: string): boolean => serverKey(one) === serverKey(other);

/** The same for every way to write one host. */
export const serverKey = (server: string): string =>
  server
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/.*$/, '')
    .replace(/:443$/, '');
