import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Names under which distributions expect them, in folders that every shell looks through. */
const FILES = { bash: 'hyperctl.bash', zsh: '_hyperctl', fish: 'hyperctl.fish' };

/** What `hyperctl autocomplete` prints, as files. */
export async function completions(cli) {
  const { SCRIPTS } = await import(pathToFileURL(path.join(cli, 'dist/completion/scripts.js')).href);
  return Object.fromEntries(Object.entries(SCRIPTS).map(([shell, script]) => [FILES[shell], script]));
}
