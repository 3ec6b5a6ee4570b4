import { accessSync, chmodSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { makeFolder } from '../lib/make-folder.js';

/** Where the local stack of root lies; others may read its state there to find the gateway. */
export const SYSTEM_HOME = '/var/lib/hyper2kvm';

export const isRoot = (): boolean => process.getuid?.() === 0;

/** --home, else HYPER2KVM_HOME, else the system's folder for root and the user's own for everybody else. */
export function resolveHome(flag?: string, env: NodeJS.ProcessEnv = process.env): string {
  const named = flag ?? env['HYPER2KVM_HOME'];
  if (named !== undefined && named !== '') return path.resolve(named);
  if (isRoot()) return SYSTEM_HOME;
  // As for the configuration: what is relative is to be ignored, and nothing is no home.
  const xdg = env['XDG_DATA_HOME'];
  const base = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(env['HOME'] || homedir(), '.local', 'share');
  return path.join(base, 'hyper2kvm');
}

/** Every path of a local stack. */
export interface StackPaths {
  readonly home: string;
  readonly config: string;
  readonly run: string;
  readonly lock: string;
  readonly state: string;
  readonly natsConfig: string;
  /** What a Prometheus of this machine reads; see prometheus-targets.ts. */
  readonly prometheusTargets: string;
  /** Marks of what is stopped on purpose; see wanted.ts. */
  readonly stopped: string;
  readonly logs: string;
  readonly secrets: string;
  readonly keyFile: string;
  readonly nats: string;
  readonly postgres: string;
  /** Disk images and OVAs to be moved: where the exporter may read. */
  readonly imports: string;
  readonly work: string;
  readonly output: string;
}

export function stackPaths(home: string): StackPaths {
  const at = (...parts: string[]): string => path.join(home, ...parts);
  return {
    home,
    config: at('config.yaml'),
    run: at('run'),
    lock: at('run', 'lock'),
    state: at('run', 'stack.json'),
    natsConfig: at('run', 'nats.conf'),
    prometheusTargets: at('run', 'prometheus-targets.json'),
    stopped: at('run', 'stopped'),
    logs: at('logs'),
    secrets: at('secrets'),
    keyFile: at('secrets', 'key'),
    nats: at('nats'),
    postgres: at('postgres'),
    imports: at('import'),
    work: at('work'),
    output: at('output'),
  };
}

export const logFile = (paths: StackPaths, service: string): string => path.join(paths.logs, `${service}.log`);

/** Makes the folders that are missing. The home lets others pass (the database and QEMU run as other users), not list. */
export function makeFolders(paths: StackPaths): void {
  const folders: readonly [string, number][] = [
    [paths.home, 0o711],
    [paths.run, 0o755],
    [paths.logs, 0o750],
    [paths.secrets, 0o700],
    [paths.nats, 0o700],
    [paths.postgres, 0o711],
    [paths.imports, 0o750],
    [paths.work, 0o700],
    [paths.output, 0o711],
  ];
  for (const [folder, mode] of folders) {
    // The umask narrows mkdir's mode, chmod's it does not.
    if (makeFolder(folder, mode)) chmodSync(folder, mode);
  }
  const { mode } = statSync(paths.home);
  if ((mode & 0o001) === 0) chmodSync(paths.home, (mode & 0o777) | 0o011);
}

/** Where a stack was started before: its gateway's address as configured. Undefined where there is none that this user may start. */
export function homeConfigured(home: string): string | undefined {
  try {
    accessSync(home, constants.W_OK);
    const tree = parse(readFileSync(stackPaths(home).config, 'utf8')) as { gateway?: { listen?: unknown } } | null;
    const listen = tree?.gateway?.listen;
    return typeof listen === 'string' ? listen : undefined;
  } catch {
    return undefined;
  }
}
