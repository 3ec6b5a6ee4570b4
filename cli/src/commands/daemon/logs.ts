import { Flags } from '@oclif/core';
import { MANAGER_FLAGS } from '../../daemon/choose.js';
import { DaemonCommand, SERVICE_ARG, SERVICE_FLAGS } from '../../daemon/command.js';
import { lineWord, rawLine } from '../../daemon/logs/show.js';
import { servicesOf } from '../../daemon/names.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { interruption } from '../../lib/poll.js';
import { parseSince } from '../../lib/when.js';

export default class DaemonLogs extends DaemonCommand<typeof DaemonLogs> {
  static override summary = 'Show the logs of services of this machine.';
  static override description =
    'Those of several services are merged by time and bear the name of their service. Of a job there is a log of its own: "hyperctl logs".';
  static override examples = [
    '<%= config.bin %> daemon logs',
    '<%= config.bin %> daemon logs converter --follow',
    '<%= config.bin %> daemon logs gateway exporter --since 10m --tail 500',
  ];
  static override args = SERVICE_ARG;
  static override flags = {
    ...SERVICE_FLAGS,
    follow: Flags.boolean({ char: 'f', description: 'Go on until Ctrl-C.' }),
    tail: Flags.integer({
      char: 'n',
      min: 1,
      max: 100_000,
      default: 100,
      description: 'Number of lines from the end, of all services together.',
    }),
    since: Flags.string({ description: 'Only what was written since: 10m, 24h, 2026-01-17, "2026-01-17 22:00".' }),
    ...MANAGER_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const { daemon = [], tail, since, follow } = this.flags;
    const named = servicesOf([...this.named, ...daemon]);
    const manager = await this.manager();
    const services = named.length === 0 ? manager.services : named;
    const interrupted = interruption();
    const label = services.length === 1 ? 0 : Math.max(...services.map((name) => name.length));
    const lines = manager.logs(services, {
      tail,
      since: since === undefined ? undefined : parseSince(since, '--since', new Date()),
      follow,
      signal: interrupted.signal,
    });
    let shown = 0;
    try {
      for await (const line of lines) {
        shown += 1;
        // One document a line: a log has no end to wait for.
        this.log(this.isJson ? rawLine(line) : lineWord(line, label, this.paint));
      }
    } finally {
      interrupted.release();
    }
    if (shown === 0 && !follow && !this.isJson) this.note(`there is nothing in the logs of ${manager.title}`);
    return interrupted.signal.aborted ? EXIT.interrupted : EXIT.ok;
  }
}
