/** Builds test guests, or says where they are: `node test/dist/support/guest/build.js [NAME…]`; default: production-db. */
import { ensureGuest } from './guest.js';
import { RECIPES, type GuestName } from './recipes/index.js';

const names = process.argv.slice(2);
try {
  for (const name of names.length > 0 ? names : ['production-db']) {
    if (!(name in RECIPES)) throw new Error(`there is no ${name}; there are ${Object.keys(RECIPES).join(', ')}`);
    process.stdout.write(`${JSON.stringify(await ensureGuest(name as GuestName))}\n`);
  }
} catch (error) {
  process.stderr.write(`guest: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
