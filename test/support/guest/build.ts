/** Builds the test guest, or says where it is: `node test/dist/support/guest/build.js`. */
import { ensureGuest } from './guest.js';

try {
  process.stdout.write(`${JSON.stringify(await ensureGuest())}\n`);
} catch (error) {
  process.stderr.write(`guest: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
