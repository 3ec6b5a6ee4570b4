import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../lib/errors.js';
import { prepareConfig, type ConfigRequest } from './config-file.js';
import { logFile, makeFolders, stackPaths, type StackPaths } from './home.js';
import { health } from './health.js';
import { INFRASTRUCTURE, SERVICES, type ServiceName } from './names.js';
import { natsSpec } from './nats.js';
import { postgresSpec } from './postgres.js';
import { removeTargets, writeTargets } from './prometheus-targets.js';
import { identify } from './processes.js';
import { serviceSpec } from './services.js';
import { removeState, writeState, type StackState } from './state.js';
import { Supervised, type ServiceSpec } from './supervise.js';
import { isWanted } from './wanted.js';

/** From the first process to a gateway that says healthy. */
const READY_LIMIT_MS = 120_000;
/** A service that dies this often before it is ready will not come up: mostly its configuration is wrong. */
const DEATHS_AT_START = 3;

export interface StackRequest extends ConfigRequest {
  readonly home: string;
  /** Names of ALL; for developing, where a service is run by hand. */
  readonly only: readonly string[];
}

/** A state that could not be written is written as soon as it can be. */
const STATE_RETRY_MS = 1_000;

const isInfrastructure = (one: Supervised): boolean => INFRASTRUCTURE.some((name) => name === one.spec.name);

/** The whole local stack, run by the supervisor process. */
export class Stack {
  readonly #paths: StackPaths;
  readonly #supervised: Supervised[] = [];
  #state: StackState;
  #unwritten: NodeJS.Timeout | undefined;

  constructor(private readonly request: StackRequest) {
    this.#paths = stackPaths(request.home);
    const supervisor = identify(process.pid);
    if (supervisor === undefined) throw new CliError('/proc cannot be read');
    this.#state = {
      version: 1,
      state: 'starting',
      error: null,
      home: request.home,
      config: this.#paths.config,
      supervisor,
      started_at: new Date().toISOString(),
      gateway_url: '',
      services: {},
    };
  }

  /** @throws CliError when it is not ready in time; then what was started still runs: call `stop` */
  async start(signal: AbortSignal): Promise<void> {
    makeFolders(this.#paths);
    // Were there no room for it, nobody could tell what runs: better not to start.
    writeState(this.#paths.state, this.#state);
    const config = await prepareConfig(this.#paths, this.request);
    const wanted = (name: string): boolean => this.request.only.includes(name);
    this.#state.gateway_url = `http://127.0.0.1:${config.gateway.port}`;
    // Found out before anything runs: what is not built or not installed.
    const services = SERVICES.filter(wanted).map((name: ServiceName) => serviceSpec(name, this.#paths, config));
    writeTargets(this.#paths.prometheusTargets, services);
    if (wanted('nats')) this.#run(natsSpec(this.#paths, config));
    if (wanted('postgres')) this.#run(await postgresSpec(this.#paths, config));
    const end = Date.now() + READY_LIMIT_MS;
    await this.#ready(end, signal);
    for (const spec of services) this.#run(spec);
    await this.#ready(end, signal);
    if (this.#runs('gateway')) await this.#healthy(end, signal);
    this.#state.state = 'ready';
    this.#write();
    // A wish may have come meanwhile.
    this.obey();
  }

  /** Stops what is to be stopped, starts what is wanted again. */
  obey(): void {
    if (this.#state.state !== 'ready') return;
    for (const one of this.#supervised) void one.want(isWanted(this.#paths, one.spec.name));
  }

  /** Services first, so that they can hand their work back; then the database and the bus. */
  async stop(): Promise<void> {
    this.#state.state = 'stopping';
    this.#write();
    await Promise.all(this.#supervised.filter((one) => !isInfrastructure(one)).map((one) => one.end()));
    await Promise.all(this.#supervised.filter(isInfrastructure).map((one) => one.end()));
  }

  /** The last word: no state is left after a stop, and why is left after a failure. */
  close(error?: string): void {
    clearTimeout(this.#unwritten);
    removeTargets(this.#paths.prometheusTargets);
    if (error === undefined) return removeState(this.#paths.state);
    this.#state = { ...this.#state, state: 'failed', error };
    this.#write();
  }

  #run(spec: ServiceSpec): void {
    const one = new Supervised(spec, this.#paths.home, logFile(this.#paths, spec.name), () => this.#write());
    this.#supervised.push(one);
    void one.want(isWanted(this.#paths, spec.name));
  }

  /** Whether it is part of this stack, and wanted. */
  #runs(name: string): boolean {
    return this.#supervised.some((one) => one.spec.name === name && one.isWanted);
  }

  async #ready(end: number, signal: AbortSignal): Promise<void> {
    await this.#until(
      end,
      signal,
      async () => this.#supervised.every((one) => one.isRunning || !one.isWanted),
      () => {
        const late = this.#supervised.filter((one) => !one.isRunning && one.isWanted).map((one) => one.spec.name);
        return `${late.join(', ')} ${late.length === 1 ? 'is' : 'are'} not ready; see ${late.map((name) => logFile(this.#paths, name)).join(', ')}`;
      },
    );
  }

  async #healthy(end: number, signal: AbortSignal): Promise<void> {
    let last = 'it does not answer';
    const check = async (): Promise<boolean> => {
      const answer = await health(this.#state.gateway_url);
      if (answer === undefined) return false;
      last = `it says ${JSON.stringify(answer)}`;
      const exporter = answer.exporter_reachable || !this.#runs('exporter');
      const converter = answer.converter_reachable || !this.#runs('converter');
      const whole = this.#runs('exporter') && this.#runs('converter');
      return exporter && converter && (answer.status === 'healthy' || !whole);
    };
    await this.#until(end, signal, check, () => `the gateway is not healthy: ${last}`);
  }

  async #until(end: number, signal: AbortSignal, done: () => Promise<boolean>, why: () => string): Promise<void> {
    while (!(await done())) {
      signal.throwIfAborted();
      const dying = this.#supervised.find((one) => one.deaths.count >= DEATHS_AT_START && !one.isRunning);
      if (dying !== undefined) {
        const { name } = dying.spec;
        throw new CliError(`${name} does not start: ${dying.deaths.lastWords} (see ${logFile(this.#paths, name)})`);
      }
      if (Date.now() > end) throw new CliError(`${why()} (waited ${READY_LIMIT_MS / 1000} s)`);
      await sleep(100);
    }
  }

  #write(): void {
    this.#state.services = Object.fromEntries(this.#supervised.map((one) => [one.spec.name, one.state]));
    clearTimeout(this.#unwritten);
    try {
      writeState(this.#paths.state, this.#state);
    } catch {
      // A full disk: what runs goes on.
      this.#unwritten = setTimeout(() => this.#write(), STATE_RETRY_MS).unref();
    }
  }
}
