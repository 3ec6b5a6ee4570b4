import { Flags } from '@oclif/core';
import { draw, Looker, newModel, reduce, runFleet, snapshot, type Model, type Scope } from '../fleet/index.js';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import type { GatewayClient } from '../lib/client.js';
import { UsageError } from '../lib/errors.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { findBatch } from '../lib/find-batch.js';

const LEAST_INTERVAL_S = 1;
const DEFAULT_INTERVAL_S = 2;
/** A single look may ask for more: nothing follows it. */
const DETAILS_ONCE = 60;
const ONCE = { columns: 120, rows: 40 };

export default class Watch extends BaseCommand<typeof Watch> {
  static override summary = 'Show the whole fleet live: jobs, failures, workers, health.';
  static override description =
    'A screen that may stay open all night. Enter opens a job, / filters, s sorts, c cancels and r retries after a question,\n' +
    '? shows all keys, q leaves; jobs go on. A gateway that goes away is waited for. Where there is no terminal, --once prints\n' +
    'one screen and --json one document.';
  static override examples = [
    '<%= config.bin %> watch',
    '<%= config.bin %> watch --batch night-1',
    '<%= config.bin %> watch --tag production --interval 5 --read-only',
    '<%= config.bin %> watch --once',
    '<%= config.bin %> watch --json',
  ];
  static override flags = {
    batch: Flags.string({ description: 'Only jobs of this batch: its id, or its name.' }),
    tag: Flags.string({ description: 'Only jobs with this tag.' }),
    interval: Flags.integer({
      min: LEAST_INTERVAL_S,
      max: 3_600,
      default: DEFAULT_INTERVAL_S,
      description: 'Seconds between two looks, at least; a gateway that answers slowly is asked less often.',
    }),
    'read-only': Flags.boolean({ description: 'Switch the keys off that change something.' }),
    once: Flags.boolean({ description: 'Print one screen and end.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { once } = this.flags;
    if (!once && !this.isJson) this.#demandTerminal();
    const client = this.client();
    const model = await this.#model(client);
    if (once || this.isJson) return this.#once(client, model);
    // One that is not there now is an error; one that goes away later is waited for.
    await client.health();
    const { stdin: input, stdout: output } = process;
    const intervalMs = this.flags.interval * 1000;
    return runFleet({ client, model, intervalMs, color: this.settings.color, input, output });
  }

  #demandTerminal(): void {
    const { TERM } = process.env;
    if (process.stdin.isTTY && process.stdout.isTTY && TERM !== 'dumb') return;
    throw new UsageError(
      TERM === 'dumb' ? 'this terminal (TERM=dumb) cannot show a screen' : 'there is no terminal to show a screen on',
      'hyperctl watch --once prints it once; hyperctl list and hyperctl stats print jobs and figures',
    );
  }

  async #model(client: GatewayClient): Promise<Model> {
    const { batch, tag } = this.flags;
    const scope: Scope = {
      ...(batch === undefined ? {} : { batch: await findBatch(client, batch), batchName: batch }),
      ...(tag === undefined ? {} : { tag }),
    };
    return newModel({
      gateway: client.url,
      context: this.settings.all.context ?? null,
      readOnly: this.flags['read-only'],
      now: Date.now(),
      scope,
    });
  }

  async #once(client: GatewayClient, empty: Model): Promise<ExitCode> {
    const looker = new Looker(client, { details: DETAILS_ONCE, everything: this.isJson });
    const size = { columns: this.columns ?? ONCE.columns, rows: ONCE.rows };
    const look = await looker.look(empty, size.rows);
    const model = reduce(empty, { type: 'looked', look }, Date.now());
    if (this.isJson) this.printJson(snapshot(model));
    else if (!this.isQuiet) {
      // The last line tells of keys.
      const lines = draw(model, size, this.settings.color && process.stdout.isTTY).slice(0, -1);
      this.log(lines.join('\n').trimEnd());
    }
    return EXIT.ok;
  }
}
