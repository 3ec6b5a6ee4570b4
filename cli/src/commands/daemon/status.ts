import { existsSync } from 'node:fs';
import { Flags } from '@oclif/core';
import { MANAGER_FLAGS } from '../../daemon/choose.js';
import { DaemonCommand } from '../../daemon/command.js';
import { LocalManager } from '../../daemon/local.js';
import { statusLines } from '../../daemon/show.js';
import { isWell, remoteStatus, statusOf, type StatusView } from '../../daemon/view.js';
import { GATEWAY_FLAGS } from '../../lib/base-command.js';
import { EXIT, type ExitCode } from '../../lib/exit-codes.js';
import { runningState, SYSTEM_HOME } from '../../stack/index.js';

export default class DaemonStatus extends DaemonCommand<typeof DaemonStatus> {
  static override summary = 'Show the services of this machine, and what they are at.';
  static override description =
    'Where none are on this machine and a gateway elsewhere is configured, that gateway tells of itself and its workers. The exit code is 0 when everything runs and is healthy, else 1.';
  static override examples = ['<%= config.bin %> daemon status', '<%= config.bin %> daemon status --json'];
  static override flags = {
    all: Flags.boolean({ description: 'All of it (what is shown anyway).' }),
    ...MANAGER_FLAGS,
    ...GATEWAY_FLAGS,
  };

  protected async work(): Promise<ExitCode> {
    const view = await this.#view();
    if (this.isJson) this.printJson(view);
    else if (!this.isQuiet) this.log(statusLines(view, this.columns).join('\n'));
    return isWell(view) ? EXIT.ok : EXIT.failed;
  }

  async #view(): Promise<StatusView> {
    const { local, systemd, home, url: flag } = this.flags;
    const { url } = this.settings;
    const any = local || systemd || home !== undefined;
    const ownHome = home ?? process.env['HYPER2KVM_HOME'] ?? '';
    if (flag !== undefined && !any) return remoteStatus(flag, this.client());
    const manager = await this.manager();
    let report = await manager.report();
    // The stack of root may be looked at by everybody.
    if (!report.running && manager.kind === 'local' && ownHome === '' && runningState(SYSTEM_HOME) !== undefined)
      report = await new LocalManager(SYSTEM_HOME).report();
    const nothingHere = !report.running && manager.kind === 'local' && !existsSync(report.config ?? '');
    if (nothingHere && url !== undefined && !any) return remoteStatus(url, this.client());
    const up = report.running && report.services.some((one) => one.name === 'gateway' && one.state === 'running');
    return statusOf(report, up && report.gateway_url !== null ? this.gatewayAt(report.gateway_url) : undefined);
  }
}
