/** One host however it is written; exporters take `https://vcenter.example.com/ui` as `vcenter.example.com`, too. */
export const sameServer = (one: string, other: string): boolean => normal(one) === normal(other);

const normal = (server: string): string =>
  server
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/.*$/, '')
    .replace(/:443$/, '');
