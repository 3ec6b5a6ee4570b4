import { Args } from '@oclif/core';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  positionOf,
  replyLines,
  SHELLS,
  splitLine,
  suggest,
  type CommandShape,
  type Typed,
} from '../completion/index.js';
import { BaseCommand } from '../lib/base-command.js';
import { configPath, noConfig, readConfig, type ConfigFile } from '../lib/config/index.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { settings } from '../lib/settings.js';
import { startTrace } from '../lib/trace.js';

/** Nobody waits longer for a list, unless the way to the gateway is known to be slow. */
const LIMIT_S = 1;

/** Asked by the shells' scripts; it never fails, and says nothing but its answer. */
export default class Complete extends BaseCommand<typeof Complete> {
  static override hidden = true;
  static override strict = false;
  static override summary = 'Words that fit where the cursor stands; for the scripts of hyperctl autocomplete.';
  static override examples = ['<%= config.bin %> complete bash -- "hyperctl list --status "'];
  static override args = { shell: Args.string({ options: [...SHELLS], ignoreStdin: true }) };
  static override flags = {};

  /** The words behind -- are somebody's half a command, and no flags of this one. */
  override async init(): Promise<void> {}

  override async run(): Promise<void> {
    const code = await this.work();
    await new Promise<void>((resolve) => {
      process.stdout.write('', () => resolve());
    });
    // A request to a gateway that does not answer may be open still.
    process.exit(code);
  }

  override async catch(): Promise<void> {
    process.exit(EXIT.ok);
  }

  protected async work(): Promise<ExitCode> {
    const [name, , ...rest] = this.argv;
    const shell = SHELLS.find((one) => one === name);
    if (shell === undefined) return EXIT.usage;
    const typed: Typed =
      shell === 'bash' ? splitLine(rest[0] ?? '') : { words: rest.slice(0, -1), current: rest.at(-1) ?? '' };
    const commands = new Map(this.config.commands.map((one) => [one.id, one as unknown as CommandShape]));
    const position = positionOf(typed, commands);
    const suggestions = await suggest(position, typed.current, commands, {
      contexts: () => [...config().contexts.keys()],
      ask: async (question) => {
        try {
          this.settings = settings(position.given, process.env, config());
          this.trace = startTrace('complete');
          const limit = Number(process.env['HYPERCTL_COMPLETION_TIMEOUT'] ?? '') || LIMIT_S;
          const nothing = sleep(limit * 1000).then(() => []);
          return await Promise.race([question(this.client()), nothing]);
        } catch {
          return [];
        }
      },
    });
    process.stdout.write(`${replyLines(shell, suggestions, typed).join('\n')}\n`);
    return EXIT.ok;
  }
}

/** A file that is broken is told by every other command. */
function config(): ConfigFile {
  try {
    return readConfig(configPath());
  } catch {
    return noConfig('');
  }
}
