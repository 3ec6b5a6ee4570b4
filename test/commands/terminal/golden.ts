import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Terminal } from '../../support/tmux.js';

/** How long a screen may take to become what it should be. */
const WAIT_MS = 30_000;
/** With UPDATE_GOLDEN=1: a screen that is the same for so long is what will be. */
const SETTLED_MS = 1_500;

/** What goes by the clock on a screen: the spinner, and how long the step that runs has taken. */
const masked = (screen: string): string =>
  screen
    .replaceAll(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, '⠋')
    .replaceAll(/(?<=[.)] )[-|/\\](?=$| \d+s$)/gm, '|')
    .replaceAll(/([⠋|]) \d+s$/gm, '$1 Ns')
    .replaceAll(/Next attempt in .*$/gm, 'Next attempt in N');

/** Compares the screen, once it has become so, with golden/NAME.txt. UPDATE_GOLDEN=1 writes that file. */
export const expectScreen = (terminal: Terminal, name: string): Promise<void> =>
  expectGolden(() => terminal.screen(), name);

/** The same with all that has scrolled away. */
export const expectEverything = (terminal: Terminal, name: string): Promise<void> =>
  expectGolden(() => terminal.everything(), name);

async function expectGolden(look: () => Promise<string>, name: string): Promise<void> {
  const file = new URL(`golden/${name}.txt`, import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(file, `${await settled(look)}\n`);
  const golden = (await readFile(file, 'utf8')).trimEnd();
  const end = Date.now() + WAIT_MS;
  let screen = masked(await look());
  while (screen !== golden && Date.now() < end) {
    await sleep(50);
    screen = masked(await look());
  }
  expect(screen).toBe(golden);
}

async function settled(look: () => Promise<string>): Promise<string> {
  let screen = '';
  const end = Date.now() + WAIT_MS;
  for (let since = Date.now(); Date.now() - since < SETTLED_MS && Date.now() < end; await sleep(50)) {
    const now = masked(await look());
    if (now !== screen) since = Date.now();
    screen = now;
  }
  return screen;
}
