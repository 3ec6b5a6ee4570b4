import { Args, Flags, type Command } from '@oclif/core';
import { BaseCommand } from '../lib/base-command.js';
import { GatewayClient } from '../lib/client.js';
import { EXIT } from '../lib/exit-codes.js';
import { isHere, SystemdManager } from '../systemd/index.js';
import { halt, resolveHome, type Halted } from '../stack/index.js';
import { chooseManager, type ManagerChoice } from './choose.js';
import { drain, type Drained } from './drain.js';
import { LocalManager } from './local.js';
import type { ManagerReport, Outcome } from './manager.js';
import type { ServiceName } from './names.js';

export const SERVICE_ARG = {
  services: Args.string({
    multiple: true,
    ignoreStdin: true,
    description: 'gateway, exporter (go, hypervisord), converter (python, hyper2kvm), notifier, nats, postgres.',
  }),
};
export const SERVICE_FLAGS = {
  all: Flags.boolean({ description: 'All of them.' }),
  daemon: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME',
    description: 'The same as the argument: go is the exporter, python the converter. Repeatable.',
  }),
};
const DEFAULT_TIMEOUT_S = 300;
export const DRAIN_FLAGS = {
  timeout: Flags.integer({
    helpGroup: 'WORK THAT RUNS',
    helpValue: 'SECONDS',
    min: 0,
    max: 7 * 86_400,
    default: DEFAULT_TIMEOUT_S,
    description: 'Wait so long for jobs that run; then they are handed back and go on after the next start.',
  }),
  now: Flags.boolean({ helpGroup: 'WORK THAT RUNS', description: 'Hand work back at once.' }),
};

export interface Stopped {
  readonly interrupted: boolean;
  readonly handedBack: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** Where all of the local stack was stopped. */
  readonly halted: Halted | undefined;
}

/** A command about the services of this machine. */
export abstract class DaemonCommand<T extends typeof Command> extends BaseCommand<T> {
  /** Progress goes to standard error: what is printed in the end is the outcome. */
  protected say(text: string): void {
    if (!this.isQuiet) this.logToStderr(text);
  }

  protected manager(): ReturnType<typeof chooseManager> {
    return chooseManager(this.flags as ManagerChoice);
  }

  /** A token of another machine's gateway is not shown to this one's. */
  protected gatewayAt(url: string): GatewayClient {
    const { url: configured } = this.settings;
    const own = configured === undefined || isHere(configured, new URL(url).host, undefined);
    return new GatewayClient({
      url,
      token: own ? this.settings.token : undefined,
      timeoutMs: this.settings.timeoutMs,
      headers: (method) => this.trace.headers(method),
    });
  }

  /** Drains, then stops. @param services undefined: all of them */
  protected async stopServices(
    manager: Awaited<ReturnType<typeof chooseManager>>,
    services: readonly ServiceName[] | undefined,
  ): Promise<Stopped> {
    if (manager instanceof SystemdManager) manager.mayStop(services ?? manager.services);
    const report = await manager.report();
    const { go, handedBack } = await this.#drain(report, services ?? manager.services);
    if (!go) return { interrupted: true, handedBack, outcomes: [], halted: undefined };
    if (services === undefined && manager instanceof LocalManager)
      return { interrupted: false, handedBack, outcomes: [], halted: await halt(manager.home) };
    const outcomes = await manager.stop(services ?? manager.services);
    return { interrupted: false, handedBack, outcomes, halted: undefined };
  }

  #drain(report: ManagerReport, services: readonly string[]): Promise<Drained> {
    const { now, timeout } = this.flags as { now?: boolean; timeout?: number };
    const up = (name: string): boolean => report.services.some((one) => one.name === name && one.state === 'running');
    const working = services.filter((name) => (name === 'exporter' || name === 'converter') && up(name));
    if (report.gateway_url === null || working.length === 0 || !up('gateway'))
      return Promise.resolve({ go: true, handedBack: [] });
    return drain({
      client: this.gatewayAt(report.gateway_url),
      services: working,
      report,
      timeoutMs: now === true ? 0 : (timeout ?? DEFAULT_TIMEOUT_S) * 1000,
      quiet: this.isQuiet,
      say: (text) => this.say(text),
    });
  }

  /** Services that were named as arguments. */
  protected get named(): readonly string[] {
    return (this.args as { services?: string[] }).services ?? [];
  }

  protected get home(): string {
    return resolveHome((this.flags as ManagerChoice).home);
  }

  protected interruptedExit(): typeof EXIT.interrupted {
    this.say('Interrupted: nothing was stopped, and the workers take work again.');
    return EXIT.interrupted;
  }
}
