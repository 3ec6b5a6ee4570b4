import { Flags } from '@oclif/core';
import { HOME_FLAG } from '../lib/daemon-flags.js';
import { CliError, UsageError } from '../lib/errors.js';
import { resolveHome } from '../stack/index.js';
import { installedUnits, isBooted, SystemdManager } from '../systemd/index.js';
import { LocalManager } from './local.js';
import { servicesOf, type ServiceName } from './names.js';

/** Flags that say whose services are meant. */
export const MANAGER_FLAGS = {
  ...HOME_FLAG,
  local: Flags.boolean({
    helpGroup: 'WHERE',
    exclusive: ['systemd'],
    description: 'The local stack, also where units of systemd are installed.',
  }),
  systemd: Flags.boolean({
    helpGroup: 'WHERE',
    exclusive: ['local', 'home'],
    description: 'The units of systemd and nothing else.',
  }),
};

export interface ManagerChoice {
  readonly home?: string | undefined;
  readonly local?: boolean | undefined;
  readonly systemd?: boolean | undefined;
}

/** systemd where its units are installed, else the local stack. A --home (or HYPER2KVM_HOME) speaks of a local stack. */
export async function chooseManager(choice: ManagerChoice): Promise<LocalManager | SystemdManager> {
  const home = resolveHome(choice.home);
  const named = choice.home !== undefined || (process.env['HYPER2KVM_HOME'] ?? '') !== '';
  if (choice.local === true || (named && choice.systemd !== true)) return new LocalManager(home);
  const units = await installedUnits();
  if (units.size > 0) return new SystemdManager(units);
  if (choice.systemd !== true) return new LocalManager(home);
  if (!isBooted())
    throw new CliError('systemd does not run this machine', { advice: 'hyperctl daemon … --local: the local stack' });
  throw new CliError('no unit of hyper2kvm is installed on this machine', {
    advice: 'copy them from deploy/systemd to /etc/systemd/system, then: systemctl daemon-reload',
  });
}

/**
 * What a command is about.
 * @returns undefined for everything
 * @throws UsageError where nothing was named
 */
export function chosenServices(
  verb: string,
  { all, names, daemon }: { all: boolean; names: readonly string[]; daemon: readonly string[] },
): ServiceName[] | undefined {
  const services = servicesOf([...names, ...daemon]);
  if (all && services.length > 0)
    throw new UsageError(`--all and ${services.join(', ')} do not go together`, `hyperctl daemon ${verb} --all`);
  if (!all && services.length === 0)
    throw new UsageError(
      `what is to ${verb}?`,
      `hyperctl daemon ${verb} --all, or services: hyperctl daemon ${verb} converter`,
    );
  return all ? undefined : services;
}
