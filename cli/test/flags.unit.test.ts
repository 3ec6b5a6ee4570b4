import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** All commands are loaded. */
const LOAD_MS = 120_000;

/** Flags of every command, and of every one that talks to the gateway. */
const COMMON = ['json', 'quiet', 'no-color', 'debug'];
const GATEWAY = ['context', 'url', 'token'];

it(
  'flags that many commands have are the same everywhere',
  async () => {
    const config = await Config.load({ root: ROOT, ignoreManifest: true });
    const commands = config.commands.filter(({ hidden, id }) => !hidden && id !== 'help');
    expect(commands.length).toBeGreaterThan(40);
    const words = new Map<string, string | undefined>();
    for (const { id, flags } of commands) {
      const asks = 'url' in flags;
      for (const name of [...COMMON, ...(asks ? GATEWAY : [])]) {
        const flag = flags[name];
        expect(flag, `${id} --${name}`).toBeDefined();
        if (flag === undefined) continue;
        // vms and contexts print names with --quiet, and say so.
        if (name === 'quiet') expect([flag.char, flag.helpGroup], id).toEqual(['q', 'OUTPUT']);
        else expect(words.get(name) ?? flag.description, `${id} --${name}`).toBe(flag.description);
        words.set(name, flag.description);
      }
    }
  },
  LOAD_MS,
);
