import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../lib/errors.js';
import { health, healthStatus, isRoot } from '../stack/index.js';
import type { LogLine, LogQuery } from '../daemon/logs/line.js';
import type { ManagerReport, Outcome, ServiceManager, ServiceReport } from '../daemon/manager.js';
import type { ServiceName } from '../daemon/names.js';
import { DEFAULT_CONFIG, localUrl, readAddresses, type Addresses } from './addresses.js';
import { journal } from './journal.js';
import { told } from './systemctl.js';
import { unitOf, UNIT_SERVICES, unitsOf, type Unit } from './units.js';

/** Longer than any unit's own TimeoutStopSec. */
const STOP_LIMIT_MS = 10 * 60_000;
const START_LIMIT_MS = 120_000;
/** `Type=simple`: systemd calls a unit active at once; one whose configuration is wrong is gone after this. */
const SETTLED_MS = 1_500;

/** The units of deploy/systemd. */
export class SystemdManager implements ServiceManager {
  readonly kind = 'systemd';
  readonly title = 'systemd';

  /** @param files installed units with the state of their files */
  constructor(readonly files: ReadonlyMap<ServiceName, string>) {}

  get services(): readonly ServiceName[] {
    return UNIT_SERVICES.filter((name) => this.files.has(name));
  }

  async report(): Promise<ManagerReport> {
    const units = await unitsOf(this.services);
    const { config, addresses } = this.#addresses(units);
    const listen = addresses.listen.get('gateway');
    const url = listen === undefined ? null : localUrl(listen);
    const running = units.some(({ active }) => active === 'active');
    const failed = units.filter(({ active }) => active === 'failed');
    return {
      manager: 'systemd',
      running,
      state: units.every(({ active }) => active === 'active') ? 'ready' : running ? 'partly' : 'stopped',
      error: failed.length === 0 ? null : failed.map(({ service, result }) => `${service}: ${result}`).join(', '),
      home: null,
      config,
      gateway_url: url,
      supervisor_pid: null,
      services: await Promise.all(units.map((unit) => reportOf(unit, addresses))),
    };
  }

  async start(names: readonly ServiceName[], starting: (name: ServiceName) => void): Promise<Outcome[]> {
    const before = await this.#before('start', names);
    const down = before.filter(({ active }) => active !== 'active').map(({ service }) => service);
    if (down.length > 0) {
      rootOnly('start', down);
      for (const name of down) starting(name);
      await told(['start', ...down.map(unitOf)], START_LIMIT_MS, sudoLine('start', down));
      await this.#settled(down);
    }
    return names.map((name) => ({ name, changed: down.includes(name) }));
  }

  /** Before anything is drained. @throws CliError for those who may not */
  mayStop(names: readonly ServiceName[]): void {
    rootOnly('stop', this.#known(names));
  }

  async stop(names: readonly ServiceName[]): Promise<Outcome[]> {
    const before = await this.#before('stop', names);
    const up = before.filter(({ active }) => active !== 'inactive').map(({ service }) => service);
    if (up.length > 0) {
      rootOnly('stop', up);
      await told(['stop', ...up.map(unitOf)], STOP_LIMIT_MS, sudoLine('stop', up));
    }
    return names.map((name) => ({ name, changed: up.includes(name) }));
  }

  logs(names: readonly ServiceName[], query: LogQuery): AsyncIterable<LogLine> {
    return journal(this.#known(names), query);
  }

  /** Where the gateway is asked, as far as this user may know. */
  async gateway(): Promise<Addresses> {
    return this.#addresses(await unitsOf(this.services)).addresses;
  }

  /** Whom systemd does not even answer is told what root would type. */
  async #before(verb: string, names: readonly ServiceName[]): Promise<Unit[]> {
    const known = this.#known(names);
    try {
      return await unitsOf(known);
    } catch (error) {
      rootOnly(verb, known);
      throw error;
    }
  }

  /** Up, and not merely called so: a gateway answers, others have not ended again. */
  async #settled(names: readonly ServiceName[]): Promise<void> {
    await sleep(SETTLED_MS);
    const end = Date.now() + START_LIMIT_MS;
    for (;;) {
      const units = await unitsOf(names);
      const dead = units.find(({ active, restarts }) => active === 'failed' || restarts > 2);
      const again = units.find(({ sub }) => sub === 'auto-restart');
      const sick = dead ?? again;
      if (sick !== undefined)
        throw new CliError(`${unitOf(sick.service)} does not stay up`, {
          why: sick.result,
          advice: `hyperctl daemon logs ${sick.service} --tail 20`,
        });
      const { addresses } = this.#addresses(units);
      const listen = addresses.listen.get('gateway');
      const waits = names.includes('gateway') && listen !== undefined && (await health(localUrl(listen))) === undefined;
      if (!waits || Date.now() > end) return;
      await sleep(250);
    }
  }

  #addresses(units: readonly Unit[]): { config: string; addresses: Addresses } {
    const config = units.map(({ environment }) => environment.get('HYPER2KVM_CONFIG')).find(Boolean) ?? DEFAULT_CONFIG;
    return { config, addresses: readAddresses(config) };
  }

  #known(names: readonly ServiceName[]): readonly ServiceName[] {
    const other = names.find((name) => !this.files.has(name));
    if (other === undefined) return names;
    const own = other === 'nats' ? 'nats-server' : other === 'postgres' ? 'postgresql' : unitOf(other);
    throw new CliError(`systemd: there is no unit of hyper2kvm for ${other}`, {
      why: `installed: ${this.services.join(', ')}`,
      advice:
        other === 'nats' || other === 'postgres'
          ? `it is the distribution's own: systemctl status ${own} (or --local for the local stack)`
          : 'copy it from deploy/systemd to /etc/systemd/system, then: systemctl daemon-reload',
    });
  }
}

const sudoLine = (verb: string, names: readonly ServiceName[]): string =>
  `sudo systemctl ${verb} ${names.map(unitOf).join(' ')}`;

function rootOnly(verb: string, names: readonly ServiceName[]): void {
  if (isRoot()) return;
  throw new CliError(`only root may ${verb} units of systemd`, {
    code: 'FORBIDDEN',
    exitCode: 5,
    advice: sudoLine(verb, names),
  });
}

const STATES: Readonly<Record<string, string>> = {
  active: 'running',
  activating: 'starting',
  deactivating: 'stopping',
  inactive: 'stopped',
};

async function reportOf(unit: Unit, { listen }: Addresses): Promise<ServiceReport> {
  const { service, active, sub, file } = unit;
  const at = listen.get(service);
  const up = active === 'active';
  const answer = at === undefined ? undefined : await healthStatus(localUrl(at));
  return {
    name: service,
    state: sub === 'auto-restart' ? 'restarting' : (STATES[active] ?? active),
    wanted: !file.startsWith('masked'),
    pid: unit.pid,
    uptime_seconds: unit.uptimeSeconds,
    version: null,
    health: !up ? 'unhealthy' : at === undefined ? 'unknown' : (answer ?? 'unhealthy'),
    port: at === undefined ? null : Number(at.slice(at.lastIndexOf(':') + 1)),
    restarts: unit.restarts,
    log: `journalctl -u ${unitOf(service).replace('.service', '')}`,
  };
}
