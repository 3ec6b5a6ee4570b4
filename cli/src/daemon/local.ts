import { existsSync } from 'node:fs';
import { launch, logFile, mark, report, runningState, setService, stackPaths } from '../stack/index.js';
import { fileLogs } from './logs/files.js';
import type { LogLine, LogQuery } from './logs/line.js';
import type { ManagerReport, Outcome, ServiceManager } from './manager.js';
import { SERVICE_NAMES, type ServiceName } from './names.js';

/** What a service cannot do without. */
const NEEDED: readonly ServiceName[] = ['nats', 'postgres'];

/** The services under the supervisor of a home. */
export class LocalManager implements ServiceManager {
  readonly kind = 'local';
  readonly services = SERVICE_NAMES;

  constructor(readonly home: string) {}

  get title(): string {
    return `the local stack in ${this.home}`;
  }

  report(): Promise<ManagerReport> {
    return report(this.home);
  }

  async start(names: readonly ServiceName[], starting: (name: ServiceName) => void): Promise<Outcome[]> {
    if (runningState(this.home) === undefined) return this.#launch(names, starting);
    const outcomes: Outcome[] = [];
    // One after the other, the bus and the database first: what comes later needs them.
    for (const name of [...names].toSorted((a, b) => rank(a) - rank(b))) {
      const running = runningState(this.home)?.services[name]?.state === 'running';
      if (!running) starting(name);
      outcomes.push({ name, changed: await setService(this.home, name, true) });
    }
    return outcomes;
  }

  stop(names: readonly ServiceName[]): Promise<Outcome[]> {
    if (runningState(this.home) === undefined) {
      // Where none ever was there is nothing to keep stopped.
      if (existsSync(this.home)) for (const name of names) mark(stackPaths(this.home), name, false);
      return Promise.resolve(names.map((name) => ({ name, changed: false })));
    }
    return Promise.all(names.map(async (name) => ({ name, changed: await setService(this.home, name, false) })));
  }

  logs(names: readonly ServiceName[], query: LogQuery): AsyncIterable<LogLine> {
    const paths = stackPaths(this.home);
    return fileLogs(
      names.map((service) => ({ service, path: logFile(paths, service) })),
      query,
    );
  }

  /** Some services of a stack that does not run: the others are stopped on purpose. */
  async #launch(names: readonly ServiceName[], starting: (name: ServiceName) => void): Promise<Outcome[]> {
    const wanted = new Set([...NEEDED, ...names]);
    for (const name of wanted) starting(name);
    await launch({
      home: this.home,
      set: [],
      foreground: false,
      wanted: [...wanted],
      onState: () => {},
    });
    return [...wanted].map((name) => ({ name, changed: true }));
  }
}

const rank = (name: ServiceName): number => (NEEDED.includes(name) ? 0 : 1);
