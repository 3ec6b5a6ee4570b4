import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from './errors.js';

const GatewayUrl = z
  .string()
  .regex(/^(?:https?:\/\/[^\s/]|unix:(?:\/\/)?\/)/i, 'http://host:port, https://host:port or unix:/path/of/the.sock');

/** `~/.config/hyper2kvm/config.yaml`: keys as in the project's design document. */
const ConfigFile = z.strictObject({
  daemons: z
    .strictObject({
      go: z.strictObject({ url: GatewayUrl.optional(), timeout: z.number().positive().optional() }).optional(),
      // Of earlier plans, in which the converter had a socket of its own: accepted, without effect.
      python: z.strictObject({ socket: z.string().optional(), timeout: z.number().optional() }).optional(),
    })
    .optional(),
  vsphere: z
    .strictObject({
      server: z.string().optional(),
      username: z.string().optional(),
      datacenter: z.string().optional(),
      ca_file: z.string().optional(),
      thumbprint: z.string().optional(),
      insecure: z.boolean().optional(),
    })
    .optional(),
  conversion: z
    .strictObject({
      fix_network: z.boolean().optional(),
      fix_fstab: z.boolean().optional(),
      fix_grub: z.boolean().optional(),
      output_dir: z.string().optional(),
    })
    .optional(),
  notifications: z.strictObject({ email: z.email().optional(), slack_webhook: z.string().optional() }).optional(),
  ui: z
    .strictObject({
      show_progress: z.boolean().optional(),
      color: z.boolean().optional(),
      log_level: z.enum(['debug', 'info', 'warn', 'error']).optional(),
    })
    .optional(),
});
type ConfigFile = z.infer<typeof ConfigFile>;

/** Keys that are understood and have no effect (yet). */
const WITHOUT_EFFECT: readonly (readonly [section: string, key: string, why: string])[] = [
  ['daemons', 'python', 'the gateway speaks for the converter'],
  ['notifications', 'slack_webhook', 'set it where the notifier runs, in its own configuration'],
];

/** Settings that a flag, the environment, the file or a default decides, in this order. */
export interface Settings {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly vcenter: {
    readonly server: string | undefined;
    readonly username: string | undefined;
    readonly datacenter: string | undefined;
    readonly caFile: string | undefined;
    readonly thumbprint: string | undefined;
    readonly insecure: boolean | undefined;
  };
  readonly conversion: {
    readonly fixNetwork: boolean | undefined;
    readonly fixFstab: boolean | undefined;
    readonly fixGrub: boolean | undefined;
    readonly outputDir: string | undefined;
  };
  readonly notifyEmail: string | undefined;
  readonly color: boolean;
  readonly showProgress: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** What the user should know about the file. */
  readonly notices: readonly string[];
}

/** What flags said; undefined where the user said nothing. */
export interface FlagValues {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly vcenter?: string | undefined;
  readonly username?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly 'ca-file'?: string | undefined;
  readonly thumbprint?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly 'fix-network'?: boolean | undefined;
  readonly 'skip-network-fix'?: boolean | undefined;
  readonly 'fix-fstab'?: boolean | undefined;
  readonly 'fix-grub'?: boolean | undefined;
  readonly 'output-dir'?: string | undefined;
  readonly notify?: string | undefined;
  readonly 'no-color'?: boolean | undefined;
}

const DEFAULT_TIMEOUT_S = 30;

export function configPath(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CONFIG_HOME'] ?? path.join(env['HOME'] ?? homedir(), '.config');
  return path.join(base, 'hyper2kvm', 'config.yaml');
}

/** @throws UsageError that names the key's path */
export function readConfigFile(file: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  let tree: unknown;
  try {
    tree = parse(text) ?? {};
  } catch (error) {
    const [line] = (error as Error).message.split('\n');
    throw new UsageError(`${file} is not valid YAML: ${line}`);
  }
  const parsed = ConfigFile.safeParse(tree);
  if (parsed.success) return parsed.data;
  throw new UsageError(`${file}: ${parsed.error.issues.map(issueLine).join('; ')}`);
}

function issueLine(issue: z.core.$ZodIssue): string {
  const at = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => [...at, key].join('.'));
    const hint = keys.includes('vsphere.password') ? ' (the password belongs into the variable VSPHERE_PASSWORD)' : '';
    return `unknown key ${keys.join(', ')}${hint}`;
  }
  return `${at.join('.') || 'the whole file'}: ${issue.message}`;
}

const set = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** Flag > environment > file > default. */
export function settings(flags: FlagValues, env: NodeJS.ProcessEnv, file: ConfigFile, fileName: string): Settings {
  const fixNetwork = flags['skip-network-fix'] === true ? false : flags['fix-network'];
  const insecure = set(env['VSPHERE_INSECURE']);
  return {
    url: flags.url ?? set(env['HYPER2KVM_URL']) ?? file.daemons?.go?.url,
    token: flags.token ?? set(env['HYPER2KVM_TOKEN']),
    timeoutMs: (file.daemons?.go?.timeout ?? DEFAULT_TIMEOUT_S) * 1000,
    vcenter: {
      server: flags.vcenter ?? set(env['VSPHERE_SERVER']) ?? file.vsphere?.server,
      username: flags.username ?? set(env['VSPHERE_USERNAME']) ?? file.vsphere?.username,
      datacenter: flags.datacenter ?? set(env['VSPHERE_DATACENTER']) ?? file.vsphere?.datacenter,
      caFile: flags['ca-file'] ?? set(env['VSPHERE_CA_FILE']) ?? file.vsphere?.ca_file,
      thumbprint: flags.thumbprint ?? set(env['VSPHERE_THUMBPRINT']) ?? file.vsphere?.thumbprint,
      insecure: flags.insecure ?? (insecure === undefined ? file.vsphere?.insecure : /^(1|true|yes)$/i.test(insecure)),
    },
    conversion: {
      fixNetwork: fixNetwork ?? file.conversion?.fix_network,
      fixFstab: flags['fix-fstab'] ?? file.conversion?.fix_fstab,
      fixGrub: flags['fix-grub'] ?? file.conversion?.fix_grub,
      outputDir: flags['output-dir'] ?? file.conversion?.output_dir,
    },
    notifyEmail: flags.notify ?? file.notifications?.email,
    // https://no-color.org: any value but the empty one.
    color: flags['no-color'] !== true && set(env['NO_COLOR']) === undefined && (file.ui?.color ?? true),
    showProgress: file.ui?.show_progress ?? true,
    logLevel: file.ui?.log_level ?? 'info',
    notices: WITHOUT_EFFECT.filter(([section, key]) => {
      const part = (file as Record<string, Record<string, unknown> | undefined>)[section];
      return part?.[key] !== undefined;
    }).map(([section, key, why]) => `${fileName}: ${section}.${key} has no effect: ${why}`),
  };
}
