import { Args, Flags, type Command } from '@oclif/core';
import { BaseCommand } from '../base-command.js';
import type { GatewayClient } from '../client.js';
import { UsageError } from '../errors.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { printable } from '../format.js';
import { letterId, letters, withEach } from './letters.js';

export const LETTERS_ARG = {
  ids: Args.string({ multiple: true, ignoreStdin: true, description: 'Their ids, numbers.' }),
};
export const LETTERS_FLAGS = {
  all: Flags.boolean({ description: 'All of them, the oldest first.' }),
  yes: Flags.boolean({ char: 'y', description: 'Do not ask whether it is meant.' }),
};

/** A command that does something with dead letters, one after the other. */
export abstract class LettersCommand<T extends typeof Command> extends BaseCommand<T> {
  /** Those that are meant; with --all the oldest first, as they came about. @throws UsageError where none is */
  protected async chosen(client: GatewayClient): Promise<string[]> {
    const { all } = this.flags as { all: boolean };
    const { ids = [] } = this.args as { ids?: string[] };
    if (all && ids.length > 0) throw new UsageError('ids, or --all: one of them');
    if (!all && ids.length === 0)
      throw new UsageError('which dead letters?', 'hyperctl dead-letters lists them; --all means all');
    if (!all) return [...new Set(ids.map((id) => letterId(id)))];
    return (await client.operations.deadLetters()).letters.map(({ id }) => id).toReversed();
  }

  /** @param done `sent again` @param key of the JSON document */
  protected async each(
    ids: readonly string[],
    done: string,
    key: string,
    work: (id: string) => Promise<string>,
  ): Promise<ExitCode> {
    const outcome = await withEach(ids, work);
    if (this.isJson) this.printJson({ [key]: outcome.done, refused: outcome.refused });
    else {
      if (!this.isQuiet) {
        for (const { id, message } of outcome.done) this.log(`${id}: ${printable(message)}`);
        this.log(ids.length === 0 ? 'No dead letters.' : `${letters(outcome.done.length)} ${done}.`);
      }
      for (const { id, code, message } of outcome.refused)
        this.logToStderr(`Not ${done}: ${id}: ${printable(message)} (${code})`);
    }
    if (outcome.refused.length === 0) return EXIT.ok;
    return outcome.refused.every(({ code }) => code === 'NOT_FOUND') && outcome.done.length === 0
      ? EXIT.notFound
      : EXIT.failed;
  }
}
