import { readFileSync } from 'node:fs';

/** Of the whole product: all packages carry one version. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
