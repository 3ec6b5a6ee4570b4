import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { positionOf, replyLines, splitLine, suggest, type CommandShape } from '../src/completion/index.js';

/** The commands as they are. */
let commands: ReadonlyMap<string, CommandShape>;
beforeAll(async () => {
  const config = await Config.load({ root: fileURLToPath(new URL('..', import.meta.url)), ignoreManifest: true });
  commands = new Map(config.commands.map((one) => [one.id, one as unknown as CommandShape]));
});

/** What bash gets for a line with the cursor at its end; `known` is what the gateway would answer. */
async function offers(line: string, known: readonly string[] = []): Promise<string[]> {
  const typed = splitLine(`hyperctl ${line}`);
  const found = await suggest(positionOf(typed, commands), typed.current, commands, {
    contexts: () => ['lab', 'prod'],
    ask: async () => known.map((value) => ({ value })),
  });
  return replyLines('bash', found, typed);
}

describe('completion', () => {
  it.each([
    ['bat', 'values batches'],
    ['batches s', 'values set show'],
    ['help vcenter ad', 'values add'],
    ['autocomplete ', 'values bash zsh fish'],
    ['list --st', 'values --status'],
    ['convert --priority h', 'values high'],
    ['list --context p', 'values prod'],
    ['config get vsphere.us', 'values vsphere.username'],
    ['convert --batch ', 'files'],
    ['convert --batch=nig', 'files'],
    ['convert --output-dir /va', 'folders'],
    ['convert --tags ', 'values'],
    ['convert --vm ', 'values'],
    ['nonsense ', 'values'],
    ['list -- --st', 'values'],
  ])('%s → %s', async (line, expected) => {
    expect((await offers(line)).join(' ')).toBe(expected);
  });

  it('hidden commands, flags that were given and those that do not go with them are no offer', async () => {
    expect(await offers('')).not.toContain('complete');
    const flags = await offers('status --job job-7k2m9x4qa3hd -');
    expect(flags).toContain('--follow');
    // What every command has comes last.
    expect(flags.indexOf('--follow')).toBeLessThan(flags.indexOf('--json'));
    for (const flag of ['--job', '--vm']) expect(flags).not.toContain(flag);
  });

  it('a list goes on behind its comma, and does not offer a word twice', async () => {
    expect(await offers('list --status failed,ca')).toEqual(['values', 'failed,cancelled']);
    expect(await offers('list --status=failed,fa')).toEqual(['values']);
  });

  it('what is inserted is quoted like what was typed, so that no name is a command', async () => {
    const names = ['db $(touch x)', "it's"];
    expect(await offers('status --vm ', names)).toEqual(['values', 'db\\ \\$\\(touch\\ x\\)', "it\\'s"]);
    expect(await offers("status --vm '", names)).toEqual(['values', 'db $(touch x)']);
    expect(await offers('status --vm "d', names)).toEqual(['values', 'db \\$(touch x)']);
    expect(await offers('status --vm db\\ \\$', names)).toEqual(['values', 'db\\ \\$\\(touch\\ x\\)']);
    // bash begins a word anew behind these.
    expect(await offers('status --vm=d', names)).toEqual(['values', 'db\\ \\$\\(touch\\ x\\)']);
    expect(await offers('status --vm a:', ['a:b'])).toEqual(['values', 'b']);
    // No line may become two, and no terminal is steered.
    expect(await offers('status --vm ', ['a\nb', 'c\u001b[2J', 'd\u202egnp'])).toEqual(['values']);
  });
});
