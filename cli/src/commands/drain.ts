import { Flags } from '@oclif/core';
import { GATEWAY_FLAGS } from '../lib/base-command.js';
import type { GatewayClient } from '../lib/client.js';
import { EXIT, type ExitCode } from '../lib/exit-codes.js';
import { FLEET_FLAGS, WORKERS_ARG } from '../lib/workers/choose.js';
import { waitUntilDrained } from '../lib/workers/drained.js';
import { DutyCommand, goOn, naming, type Told } from '../lib/workers/duty-command.js';

export default class Drain extends DutyCommand<typeof Drain> {
  static override summary = 'Have workers end what they are at and take nothing new, before they are stopped.';
  static override description =
    'With --wait until nothing runs on them; Ctrl-C then leaves them draining. Afterwards the service may be stopped or its\n' +
    'host serviced. Started anew, a worker takes work again; without that: hyperctl resume.\n' +
    'Exit codes with --wait: 0 nothing runs on them, 1 somebody resumed one meanwhile.';
  static override examples = [
    '<%= config.bin %> drain kvm01-converter --wait',
    '<%= config.bin %> drain --daemon converter',
    '<%= config.bin %> drain --all --wait',
  ];
  static override args = WORKERS_ARG;
  static override flags = {
    ...FLEET_FLAGS,
    wait: Flags.boolean({ char: 'w', description: 'Wait until nothing runs on them.' }),
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const client = this.client();
    const told = await this.tell(client, 'drain');
    if (!this.isQuiet)
      for (const { before, after } of told) {
        const was = before.status === 'draining' || before.status === 'drained';
        this.log(`${after.worker_id}: ${was ? 'was draining already' : 'drains'}; ${goOn(after)}`);
      }
    if (this.flags.wait) return this.#wait(client, told);
    if (this.isJson) this.printJson({ workers: told.map(({ after }) => after) });
    else if (!this.isQuiet) {
      const names = naming(told, this.flags);
      this.log(`Wait for the end: hyperctl drain ${names} --wait\nTo go on instead: hyperctl resume ${names}`);
    }
    return EXIT.ok;
  }

  async #wait(client: GatewayClient, told: readonly Told[]): Promise<ExitCode> {
    const ids = [...new Set(told.map(({ after }) => after.worker_id))];
    const ended = await waitUntilDrained(client, ids, {
      quiet: !this.showsProgress,
      stream: process.stderr,
      onDrained: (id, gone) => {
        if (!this.isQuiet) this.log(`${id}: ${gone ? 'is stopped' : 'drained, nothing runs on it'}`);
      },
      onLeft: (text) => {
        if (!this.isQuiet) this.log(text);
      },
      onResumed: (id, status) => this.logToStderr(`${id}: somebody had it ${status === 'paused' ? 'pause' : 'go on'}`),
    });
    if (ended === 'interrupted') {
      this.logToStderr(`The draining goes on. Look at it: hyperctl workers`);
      return EXIT.interrupted;
    }
    if (this.isJson) {
      const fleet = await client.workers.list();
      this.printJson({ workers: fleet.filter((one) => ids.includes(one.worker_id)) });
    } else if (!this.isQuiet && ended === 'drained') {
      this.log(`They can be stopped now. To have them go on: hyperctl resume ${naming(told, this.flags)}`);
    }
    return ended === 'drained' ? EXIT.ok : EXIT.failed;
  }
}
