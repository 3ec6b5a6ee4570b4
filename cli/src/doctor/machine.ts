import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { ConfigError, DEFAULT_CONFIG_FILE, loadConfig, type BaseConfig } from '@hyper2kvm/runtime/config';
import { z } from 'zod';
import type { GatewayClient } from '../lib/client.js';
import type { CliError } from '../lib/errors.js';
import type { Settings } from '../lib/settings.js';
import { readState, resolveHome, stackPaths } from '../stack/index.js';
import { isAlive } from '../stack/processes.js';

const Folder = (path: string) => z.string().default(path);

/** Of the services' sections what is looked at; each service checks the rest of its own when it starts. */
const SECTIONS = {
  gateway: z
    .looseObject({
      database: z
        .looseObject({
          url: z.string().optional(),
          host: z.string().default('127.0.0.1'),
          port: z.coerce.number().default(5432),
          user: z.string().default('hyper2kvm'),
          password: z.string().optional(),
          name: z.string().default('hyper2kvm'),
          pool_size: z.coerce.number().default(20),
        })
        .prefault({}),
    })
    .prefault({}),
  exporter: z
    .looseObject({
      work_dir: Folder('/var/lib/hyper2kvm/export'),
      allowed_roots: z.array(z.string()).default(['/var/lib/hyper2kvm/import']),
      min_free_bytes: z.coerce.number().default(1024 ** 3),
    })
    .prefault({}),
  converter: z
    .looseObject({
      work_dir: Folder('/var/lib/hyper2kvm/work'),
      output_dir: Folder('/var/lib/hyper2kvm/output'),
      appliance_cache_dir: Folder('/var/tmp'),
      slots: z.coerce.number().default(Math.max(1, Math.floor(cpus().length / 2))),
      libvirt_uri: z.string().default('qemu:///system'),
      virtio_win: z.string().optional(),
      network: z.looseObject({ type: z.string().default('network'), name: z.string().default('default') }).prefault({}),
    })
    .prefault({}),
  notifier: z
    .looseObject({
      smtp: z
        .looseObject({
          host: z.string().optional(),
          port: z.coerce.number().optional(),
          secure: z.boolean().optional(),
          user: z.string().optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  vsphere: z
    .looseObject({
      server: z.string().optional(),
      credentials_file: z.string().optional(),
      ca_file: z.string().optional(),
    })
    .prefault({}),
};

export type ServicesConfig = { [Name in keyof typeof SECTIONS]: z.infer<(typeof SECTIONS)[Name]> } & BaseConfig;

/** What a check may look at. */
export interface Machine {
  /** `services`: parts of hyper2kvm run here, or are to; `client`: this machine only talks to a gateway elsewhere. */
  readonly role: 'services' | 'client';
  /** The services' configuration file; undefined where there is none yet. */
  readonly configFile: string | undefined;
  /** As in the file, or the defaults where there is none. */
  readonly config: ServicesConfig;
  /** Why the file cannot be used: then `config` holds the defaults. */
  readonly configProblem: string | undefined;
  /** The local stack, which brings NATS and PostgreSQL of its own; undefined where the services run otherwise. */
  readonly stack: { readonly home: string; readonly running: boolean } | undefined;
  readonly settings: Settings;
  /** Why hyperctl's own configuration cannot be used: then `settings` are without it. */
  readonly settingsProblem: CliError | undefined;
  readonly client: GatewayClient;
  readonly isRoot: boolean;
}

export interface MachineRequest {
  /** The services' configuration, where the user named one. */
  readonly config: string | undefined;
  readonly home: string | undefined;
  /** Look at everything, also on a machine that only talks to a gateway. */
  readonly all: boolean;
  readonly settings: Settings;
  readonly settingsProblem: CliError | undefined;
  readonly client: GatewayClient;
  readonly env: NodeJS.ProcessEnv;
}

/** Finds out what this machine is. */
export function lookAround(request: MachineRequest): Machine {
  const { settings, settingsProblem, client, env } = request;
  const paths = stackPaths(resolveHome(request.home, env));
  const named = request.config ?? env['HYPER2KVM_CONFIG'];
  const configFile = named ?? [paths.config, DEFAULT_CONFIG_FILE].find((file) => existsSync(file));
  const state = readState(paths.state);
  const running = state !== undefined && isAlive(state.supervisor);
  const isStack = configFile === paths.config || (configFile === undefined && running);
  const role = request.all || configFile !== undefined || settings.url === undefined ? 'services' : 'client';
  const base = {
    role,
    configFile,
    stack: isStack ? { home: paths.home, running } : undefined,
    settings,
    settingsProblem,
    client,
    isRoot: process.getuid?.() === 0,
  } as const;
  const fromEnv = Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'HYPER2KVM_CONFIG'));
  try {
    const where = configFile === undefined ? NOWHERE : readable(configFile);
    const config = loadConfig(SECTIONS, { ...fromEnv, ...environmentFile(), ...where });
    return { ...base, config, configProblem: undefined };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const config = loadConfig(SECTIONS, NOWHERE);
    return { ...base, config, configProblem: error.message };
  }
}

/** An empty file: the defaults. */
const NOWHERE = { HYPER2KVM_CONFIG: '/dev/null' };
const readable = (file: string): { HYPER2KVM_CONFIG: string } => ({ HYPER2KVM_CONFIG: file });

/** What systemd gives the services beside the configuration (EnvironmentFile= of the units): one NAME=value a line. */
function environmentFile(): Record<string, string> {
  try {
    const lines = readFileSync('/etc/hyper2kvm/environment', 'utf8').split('\n');
    return Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, '$2')]];
      }),
    );
  } catch {
    return {};
  }
}
