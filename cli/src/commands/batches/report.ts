import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Flags } from '@oclif/core';
import type { BatchReport } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../../lib/base-command.js';
import { reportTable } from '../../lib/batch/show.js';
import { CliError } from '../../lib/errors.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { jsonText } from '../../lib/format.js';
import { BATCH_ARG, findBatch } from '../../lib/find-batch.js';

export default class BatchesReport extends BaseCommand<typeof BatchesReport> {
  static override summary = 'What became of each VM of a batch, as a table, CSV or JSON.';
  static override description =
    'Also of a batch that still runs. As CSV it opens in any spreadsheet; -o writes a file.';
  static override examples = [
    '<%= config.bin %> batches report batch-7k2m9x4qa3hd',
    '<%= config.bin %> batches report night-1 --format csv -o night-1.csv',
  ];
  static override args = BATCH_ARG;
  static override flags = {
    format: Flags.option({ options: ['table', 'csv', 'json'] as const })({
      description: 'Form of the report [default: table].',
    }),
    output: Flags.string({ char: 'o', helpValue: 'FILE', description: 'Write it there instead of printing it.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const id = await findBatch(client, this.args.batch);
    const { output } = this.flags;
    const format = this.flags.format ?? (this.isJson ? 'json' : 'table');
    const text =
      format === 'csv' ? await client.batches.reportCsv(id) : this.#form(await client.batches.report(id), format);
    if (output === undefined) {
      // Also with --quiet: to print it is all that was asked for.
      process.stdout.write(ended(text));
      return EXIT.ok;
    }
    write(output, ended(text));
    if (this.isJson) this.printJson({ batch_id: id, format, file: output });
    else if (!this.isQuiet) this.log(`Written: ${output}`);
    return EXIT.ok;
  }

  #form(report: BatchReport, format: 'table' | 'json'): string {
    if (format === 'json') return jsonText(report, 2);
    return reportTable(report, this.flags.output === undefined ? this.columns : undefined).join('\n');
  }
}

const ended = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

/** Whole or not at all; what is no file (a pipe, /dev/stdout) is written as it is. */
function write(file: string, text: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    if (file.startsWith('/dev/')) return writeFileSync(file, text);
    writeFileSync(aside, text, { flag: 'wx' });
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(`${file} cannot be written`, {
      why: WHY[code ?? '']?.(path.dirname(path.resolve(file))) ?? message.replaceAll(aside, file),
      advice: 'another -o FILE; without it the report is printed',
    });
  }
}

const WHY: Readonly<Record<string, (folder: string) => string>> = {
  ENOENT: (folder) => `there is no folder ${folder}`,
  ENOTDIR: (folder) => `${folder} is no folder`,
  EACCES: (folder) => `this user may not write in ${folder}`,
  EROFS: (folder) => `${folder} is read-only`,
  EISDIR: () => 'it is a folder',
  ENOSPC: (folder) => `no space is left in ${folder}`,
};
