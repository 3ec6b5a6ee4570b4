import { setTimeout as sleep } from 'node:timers/promises';
import { spawnGuarded, type GuardedProcess } from '@hyper2kvm/runtime';
import { LogFile } from './log-file.js';
import { guardedChild, identify, isAlive, signal, waitGone, type ProcessId } from './processes.js';
import type { ServiceState } from './state.js';

/** How a service is run and stopped. Times in ms. */
export interface ServiceSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly version: string;
  readonly port: number | null;
  /** Asked until true. */
  readonly isReady: (pid: number) => Promise<boolean>;
  readonly stopSignal: NodeJS.Signals;
  readonly stopLimitMs: number;
}

const FIRST_PAUSE_MS = 250;
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A service that ran for this long is started again at once, and its pauses begin anew. */
const STABLE_MS = 10_000;
/** Lines of a service that failed to start which are shown to the user. */
const KEPT_LINES = 5;

/** One service under supervision: started, watched, started again when it dies, stopped. */
export class Supervised {
  #state: ServiceState['state'] = 'stopped';
  #guard: GuardedProcess | undefined;
  #guardId: ProcessId | undefined;
  #process: ProcessId | undefined;
  #startedAt: number | undefined;
  #restarts = 0;
  #stopping = true;
  #lastLines: string[] = [];
  #lastWords = '';
  #loop: Promise<void> = Promise.resolve();
  #wake = new AbortController();
  #wanted = true;
  /** Starts and stops follow one another. */
  #turn: Promise<void> = Promise.resolve();
  readonly #log: LogFile;

  constructor(
    readonly spec: ServiceSpec,
    private readonly cwd: string,
    private readonly logFile: string,
    private readonly changed: () => void,
  ) {
    this.#log = new LogFile(logFile);
  }

  /** Has it run, or rest; it is done in turn, and at once where it is so already. */
  want(wanted: boolean): Promise<void> {
    const other = wanted !== this.#wanted;
    this.#wanted = wanted;
    if (other) this.changed();
    this.#turn = this.#turn.then(() => (this.#wanted ? this.#start() : this.#stop()));
    return this.#turn;
  }

  get isWanted(): boolean {
    return this.#wanted;
  }

  get state(): ServiceState {
    return {
      state: this.#state,
      wanted: this.#wanted,
      process: this.#process ?? null,
      guard: this.#guardId ?? null,
      version: this.spec.version,
      port: this.spec.port,
      restarts: this.#restarts,
      started_at: this.#startedAt === undefined ? null : new Date(this.#startedAt).toISOString(),
      log: this.logFile,
    };
  }

  get isRunning(): boolean {
    return this.#state === 'running' && this.#process !== undefined && isAlive(this.#process);
  }

  /** How often it died since the supervisor started, and what it said last. */
  get deaths(): { readonly count: number; readonly lastWords: string } {
    return { count: this.#restarts, lastWords: this.#lastWords };
  }

  /** For good. Afterwards nothing of it runs. */
  async end(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#stop());
    await this.#turn;
    this.#log.close();
  }

  #start(): void {
    if (!this.#stopping) return;
    this.#stopping = false;
    this.#wake = new AbortController();
    this.#loop = this.#run();
  }

  /** Asks it to end, waits for its limit, ends it by force. */
  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#wake.abort();
    if (this.#guard !== undefined && this.#state !== 'stopped') {
      this.#set('stopping');
      const { spec } = this;
      // It may have been started a moment ago and not be a process of its own yet.
      if (this.#process !== undefined) signal(this.#process, spec.stopSignal);
      const limit = sleep(this.#process === undefined ? 0 : spec.stopLimitMs, 'late', { ref: false });
      const ended = await Promise.race([this.#guard.exited, limit]);
      if (ended === 'late') {
        this.#log.note(`it did not end within ${spec.stopLimitMs / 1000} s: killed`);
        await this.#guard.kill();
      }
      if (this.#process !== undefined) await waitGone([this.#process], 5000);
    }
    await this.#loop;
    this.#process = undefined;
    this.#guard = undefined;
    this.#guardId = undefined;
    this.#set('stopped');
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopping) {
      const began = Date.now();
      const exit = await this.#once();
      if (this.#stopping) return;
      const lived = Date.now() - began;
      pause = lived > STABLE_MS ? FIRST_PAUSE_MS : Math.min(Math.max(PAUSE_MS, pause * 2), LONGEST_PAUSE_MS);
      this.#lastWords = this.#lastLines.join('\n');
      this.#restarts += 1;
      this.#log.note(`it ended with ${exit} after ${Math.round(lived / 1000)} s; started again in ${pause / 1000} s`);
      this.#set('restarting');
      await sleep(pause, undefined, { signal: this.#wake.signal }).catch(() => {});
    }
  }

  async #once(): Promise<string> {
    const { spec } = this;
    this.#set('starting');
    const guard = spawnGuarded(spec.command, spec.args, {
      cwd: this.cwd,
      ...(spec.env === undefined ? {} : { env: spec.env }),
      onLine: (line) => {
        this.#log.line(line);
        this.#lastLines = [...this.#lastLines, line].slice(-KEPT_LINES);
      },
    });
    this.#guard = guard;
    this.#lastLines = [];
    this.#guardId = identify(guard.pid);
    this.#startedAt = Date.now();
    const ended = new AbortController();
    void this.#findProcess(guard, ended.signal);
    const exit = await guard.exited;
    ended.abort();
    this.#process = undefined;
    this.#startedAt = undefined;
    return exit.signal ?? `exit code ${exit.code}`;
  }

  async #findProcess(guard: GuardedProcess, ended: AbortSignal): Promise<void> {
    while (!ended.aborted && this.#process === undefined) {
      this.#process = guardedChild(guard.pid);
      if (this.#process === undefined) await sleep(20);
    }
    if (ended.aborted) return;
    this.changed();
    while (!ended.aborted && this.#process !== undefined) {
      if (await this.spec.isReady(this.#process.pid)) {
        if (!ended.aborted && this.#state === 'starting') this.#set('running');
        return;
      }
      await sleep(50);
    }
  }

  #set(state: ServiceState['state']): void {
    this.#state = state;
    this.changed();
  }
}
