import { existsSync } from 'node:fs';
import type { ServiceName } from '../daemon/names.js';
import { CliError } from '../lib/errors.js';
import { isRoot } from '../stack/index.js';
import { properties, systemctl } from './systemctl.js';

/** The four of deploy/systemd. NATS and PostgreSQL are units of the distribution. */
export const UNIT_SERVICES = ['gateway', 'exporter', 'converter', 'notifier'] as const satisfies ServiceName[];
export const unitOf = (service: ServiceName): string => `hyper2kvm-${service}.service`;

/** sd_booted(3): whether systemd is what runs this machine. Elsewhere its tools may be installed, and drive nothing. */
export const isBooted = (): boolean => existsSync('/run/systemd/system');

/** Installed units, by service, with their state (`enabled`, `disabled`, `masked`, …); none where there is no systemd. */
export async function installedUnits(): Promise<ReadonlyMap<ServiceName, string>> {
  if (!isBooted()) return new Map();
  const asked = ['list-unit-files', '--no-legend', '--plain', 'hyper2kvm-*'];
  let answer = await systemctl(asked);
  // Without a way to the manager (no D-Bus) the folders are read.
  if (answer !== undefined && answer.code !== 0 && answer.stderr !== '')
    answer = await systemctl(['--root=/', ...asked]);
  const found = new Map<ServiceName, string>();
  for (const line of answer?.stdout.split('\n') ?? []) {
    const [unit = '', state = ''] = line.trim().split(/\s+/);
    const service = UNIT_SERVICES.find((name) => unitOf(name) === unit);
    if (service !== undefined) found.set(service, state);
  }
  return found;
}

/** What systemd knows of a unit. */
export interface Unit {
  readonly service: ServiceName;
  /** active, activating, deactivating, inactive, failed */
  readonly active: string;
  readonly sub: string;
  readonly file: string;
  readonly pid: number | null;
  readonly uptimeSeconds: number | null;
  readonly restarts: number;
  /** Why it ended, where it failed: `exit-code`, `oom-kill`, … */
  readonly result: string;
  readonly environment: ReadonlyMap<string, string>;
}

const ASKED =
  'Id,ActiveState,SubState,UnitFileState,MainPID,NRestarts,ActiveEnterTimestampMonotonic,Result,Environment';

/** @throws CliError where systemd does not answer this user */
export async function unitsOf(services: readonly ServiceName[]): Promise<Unit[]> {
  if (services.length === 0) return [];
  const answer = await systemctl(['show', `--property=${ASKED}`, ...services.map(unitOf)]);
  if (answer?.code !== 0)
    throw new CliError('systemd does not answer', {
      why: answer?.stderr.trim().split('\n')[0],
      advice: isRoot() ? 'systemctl status' : 'root may ask it: sudo hyperctl daemon …',
    });
  const units = properties(answer.stdout);
  return services.flatMap((service) => {
    const unit = units.find((one) => one.get('Id') === unitOf(service));
    return unit === undefined ? [] : [read(service, unit)];
  });
}

function read(service: ServiceName, unit: ReadonlyMap<string, string>): Unit {
  const active = unit.get('ActiveState') ?? 'unknown';
  const pid = Number(unit.get('MainPID') ?? 0);
  // Microseconds of the clock that stands still while the machine sleeps: the one of Node's hrtime.
  const entered = Number(unit.get('ActiveEnterTimestampMonotonic') ?? 0);
  const uptime = Number(process.hrtime.bigint() / 1_000n) - entered;
  return {
    service,
    active,
    sub: unit.get('SubState') ?? '',
    file: unit.get('UnitFileState') ?? '',
    pid: pid > 0 ? pid : null,
    uptimeSeconds: active === 'active' && entered > 0 ? Math.max(0, Math.round(uptime / 1e6)) : null,
    restarts: Number(unit.get('NRestarts') ?? 0),
    result: unit.get('Result') ?? '',
    environment: new Map(
      (unit.get('Environment') ?? '').split(' ').flatMap((pair): [string, string][] => {
        const equals = pair.indexOf('=');
        return equals < 1 ? [] : [[pair.slice(0, equals), pair.slice(equals + 1)]];
      }),
    ),
  };
}
