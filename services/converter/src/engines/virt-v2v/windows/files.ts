import type { Appliance } from '../../../guest/index.js';

/** A file by its path in any case, as Windows finds it; undefined where it is missing. */
export async function findFile(
  appliance: Pick<Appliance, 'attempt' | 'isFile'>,
  path: string,
): Promise<string | undefined> {
  // Gives a path too where only its last part is missing.
  const found = (await appliance.attempt(['case-sensitive-path', path])).trim();
  return found !== '' && (await appliance.isFile(found)) ? found : undefined;
}
