import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where a service answers /metrics. */
export interface MetricsPort {
  readonly name: string;
  readonly port: number | null;
}

/**
 * Writes what a Prometheus on this machine reads (`file_sd_configs`): ports move, instances keep their names. Whole or not at
 * all: Prometheus reads it whenever it changes.
 */
export function writeTargets(file: string, services: readonly MetricsPort[]): void {
  const host = hostname();
  const groups = services.flatMap(({ name, port }) =>
    port === null ? [] : [{ targets: [`127.0.0.1:${port}`], labels: { service: name, instance: `${host}-${name}` } }],
  );
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(groups, undefined, 2)}\n`, { mode: 0o644 });
  renameSync(aside, file);
}

/** A stack that was stopped on purpose is nothing to be alarmed about. */
export const removeTargets = (file: string): void => rmSync(file, { force: true });
