import type { ServiceName } from './names.js';
import type { LogLine, LogQuery } from './logs/line.js';

/** One service as whoever runs it sees it. */
export interface ServiceReport {
  readonly name: string;
  /** starting, running, restarting, stopping, stopped, failed */
  readonly state: string;
  /** False: stopped on purpose. */
  readonly wanted: boolean;
  readonly pid: number | null;
  readonly uptime_seconds: number | null;
  readonly version: string | null;
  readonly health: 'healthy' | 'degraded' | 'unhealthy' | 'unknown';
  readonly port: number | null;
  readonly restarts: number;
  /** A file, or the command that shows it. */
  readonly log: string;
}

export interface ManagerReport {
  readonly manager: 'local' | 'systemd';
  readonly running: boolean;
  readonly state: string;
  readonly error: string | null;
  /** Of the local stack. */
  readonly home: string | null;
  readonly config: string | null;
  readonly gateway_url: string | null;
  readonly supervisor_pid: number | null;
  readonly services: readonly ServiceReport[];
}

/** What became of one service. */
export interface Outcome {
  readonly name: ServiceName;
  /** False: it was so already. */
  readonly changed: boolean;
}

/** Whoever runs the services of this machine. Names that it does not have are refused with a CliError. */
export interface ServiceManager {
  readonly kind: 'local' | 'systemd';
  /** `the local stack in /var/lib/hyper2kvm`, `systemd` */
  readonly title: string;
  /** Services that it can start and stop. */
  readonly services: readonly ServiceName[];
  report(): Promise<ManagerReport>;
  /** Resolves when they are up. @param starting told of each that has to be started */
  start(names: readonly ServiceName[], starting: (name: ServiceName) => void): Promise<Outcome[]>;
  /** Ends them now: work that still runs is handed back. */
  stop(names: readonly ServiceName[]): Promise<Outcome[]>;
  logs(names: readonly ServiceName[], query: LogQuery): AsyncIterable<LogLine>;
}
