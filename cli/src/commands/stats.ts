import { Flags } from '@oclif/core';
import { BaseCommand, GATEWAY_FLAGS } from '../lib/base-command.js';
import type { GatewayClient } from '../lib/client.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { queuesOf } from '../lib/operations/queues.js';
import { gatewayLines, serviceLines, statsLines, successRate } from '../lib/operations/stats.js';
import { parseSince } from '../lib/when.js';
import { WORKING_NAMES, workingOf, type Working } from '../lib/workers/daemons.js';

export default class Stats extends BaseCommand<typeof Stats> {
  static override summary = 'Figures of the last 30 days: outcomes, durations, data, queues, workers.';
  static override description =
    'Jobs are those created since then; attempts those that ended since then, and their times those of the completed ones: the\n' +
    'mean, and within which half of them (P50) and 99 % (P99) were through.\n' +
    'Queue and workers are as they are now. For Prometheus the gateway has /metrics.';
  static override examples = [
    '<%= config.bin %> stats',
    '<%= config.bin %> stats --since 7d',
    '<%= config.bin %> stats --daemon python',
    '<%= config.bin %> stats --daemon go',
    '<%= config.bin %> stats --daemon gateway --json',
  ];
  static override flags = {
    daemon: Flags.option({ options: [...WORKING_NAMES, 'gateway'] })({
      helpValue: 'exporter|converter|gateway',
      description:
        'Of this service: its workers, jobs, queue, space; go and python are names for exporter and converter.',
    }),
    since: Flags.string({
      description: 'Since then: 24h or 7d (ago), 2026-01-17, or RFC 3339 [default: 30 days ago].',
    }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { daemon } = this.flags;
    const client = this.client();
    if (daemon === undefined) await this.#all(client);
    else if (daemon === 'gateway') await this.#gateway(client);
    else await this.#service(client, workingOf(daemon));
    return EXIT.ok;
  }

  get #since(): string | undefined {
    const { since } = this.flags;
    return since === undefined ? undefined : parseSince(since, '--since', new Date()).toISOString();
  }

  async #all(client: GatewayClient): Promise<void> {
    const { operations, workers } = client;
    const [stats, status, fleet] = await Promise.all([operations.stats(this.#since), client.status(), workers.list()]);
    this.#print({ ...stats, success_rate: successRate(stats), queue_depth: status.queue_depth, workers: fleet }, () =>
      statsLines(stats, status, fleet, this.columns),
    );
  }

  async #service(client: GatewayClient, service: Working): Promise<void> {
    const { operations } = client;
    const [stats, metrics, fleet] = await Promise.all([
      operations.stats(this.#since),
      operations.metrics(),
      client.workers.list(),
    ]);
    const queue = queuesOf(metrics, service);
    const workers = fleet.filter((one) => one.service === service);
    this.#print({ daemon: service, since: stats.since, ...stats[service], queue_depth: queue, workers }, () =>
      serviceLines(service, stats, queue, fleet, this.columns),
    );
  }

  async #gateway(client: GatewayClient): Promise<void> {
    const [stats, status, health] = await Promise.all([
      client.operations.stats(this.#since),
      client.status(),
      client.health(),
    ]);
    const { version, queue_depth } = status;
    const { since, jobs, retries } = stats;
    const document = { daemon: 'gateway', version, ...health, queue_depth, since, jobs, retries };
    this.#print({ ...document, success_rate: successRate(stats) }, () =>
      gatewayLines(stats, status, health, this.columns),
    );
  }

  #print(document: object, lines: () => readonly string[]): void {
    if (this.isJson) this.printJson(document);
    else if (!this.isQuiet) this.log(lines().join('\n'));
  }
}
