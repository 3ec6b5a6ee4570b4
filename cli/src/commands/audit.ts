import { Flags } from '@oclif/core';
import type { AuditEntry } from '@hyper2kvm/contracts';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { printable } from '../lib/format.js';
import { timeCell } from '../lib/operations/time-cell.js';
import { table } from '../lib/table.js';
import { parseSince } from '../lib/when.js';

const DEFAULT_LIMIT = 50;

export default class Audit extends BaseCommand<typeof Audit> {
  static override summary = 'Who asked for which change, done or refused; newest first.';
  static override description = 'TARGET is the job, batch, worker, token … that it was about. An admin may read this.';
  static override examples = [
    '<%= config.bin %> audit --since 24h',
    '<%= config.bin %> audit --caller ann --action cancel --limit 200',
    '<%= config.bin %> audit --target job-7k2m9x4qa3hd --json',
  ];
  static override flags = {
    caller: Flags.string({ description: 'Only of this token.' }),
    action: Flags.string({ description: 'Only this operation: convert, cancel, createToken … (as in /openapi.json).' }),
    target: Flags.string({ description: 'Only about this job, batch, worker, token or connection.' }),
    since: Flags.string({ description: 'Since then: 24h or 7d (ago), 2026-01-17, or RFC 3339.' }),
    until: Flags.string({ description: 'Until then, likewise.' }),
    limit: Flags.integer({ char: 'n', min: 1, default: DEFAULT_LIMIT, description: 'At most so many.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { caller, action, target, limit } = this.flags;
    const now = new Date();
    const time = (name: 'since' | 'until'): string | undefined => {
      const text = this.flags[name];
      return text === undefined ? undefined : parseSince(text, `--${name}`, now).toISOString();
    };
    const filter = { caller, action, target, since: time('since'), until: time('until') };
    const entries = await this.client().access.audit(filter, limit);
    if (this.isJson) this.printJson({ entries });
    else if (!this.isQuiet) {
      this.log(entries.length === 0 ? 'Nothing.' : auditTable(entries, this.columns).join('\n'));
      if (entries.length === limit) this.log(`The newest ${limit}; more: --limit ${limit * 10}`);
    }
    return EXIT.ok;
  }
}

const auditTable = (entries: readonly AuditEntry[], columns?: number): string[] =>
  table(
    ['TIME', 'CALLER', 'ACTION', 'TARGET', 'ANSWER', 'ROLE', 'FROM'],
    entries.map((entry) => [
      timeCell(entry.time, columns),
      printable(entry.caller),
      entry.action,
      printable(entry.target ?? ''),
      entry.code === null ? String(entry.status ?? 'unknown') : `${entry.status} ${entry.code}`,
      entry.role ?? '',
      printable(entry.address ?? ''),
    ]),
    columns,
  );
