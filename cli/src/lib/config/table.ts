import {
  ACCOUNT,
  BOOLEAN,
  CONTEXT_NAME,
  EMAIL,
  FILE,
  GATEWAY_URL,
  LEVEL,
  REMOTE_PATH,
  SECONDS,
  SERVER,
  SOCKET,
  THUMBPRINT,
  TOKEN,
  WEBHOOK,
  type Kind,
  type Value,
} from './kinds.js';

/** What goes to one address only; see resolve.ts. */
export type Group = 'gateway' | 'vcenter';

/** One key of the configuration, and everything that decides it. */
export interface Setting {
  /** Path in the file and, but for current_context, in each context. */
  readonly key: string;
  readonly kind: Kind;
  readonly flag?: string;
  /** A flag that says the contrary. */
  readonly negation?: string;
  /** Variables; the first that is set counts. */
  readonly env?: readonly string[];
  /** How a variable is read where its text is not the value itself; undefined: it says nothing. */
  readonly ofEnv?: (name: string, text: string) => Value | undefined;
  readonly default?: Value;
  /** A default that another program decides, or that depends on the machine, in words. */
  readonly defaultWord?: string;
  readonly description: string;
  /** Shown nowhere. */
  readonly secret?: true;
  readonly group?: Group;
  /** Of the whole file: it cannot stand in a context. */
  readonly whole?: true;
}

/** The only list of settings: reading, checking, showing, documentation and completion go by it. */
export const SETTINGS = [
  {
    key: 'current_context',
    kind: CONTEXT_NAME,
    flag: 'context',
    env: ['HYPER2KVM_CONTEXT'],
    description: 'The context that counts where none is named.',
    whole: true,
  },
  {
    key: 'daemons.go.url',
    kind: GATEWAY_URL,
    flag: 'url',
    env: ['HYPER2KVM_URL'],
    defaultWord: 'the local stack, else http://127.0.0.1:8080',
    description: 'The gateway: http://host:port, https://host:port, or unix:/path of its socket.',
    group: 'gateway',
  },
  {
    key: 'daemons.go.timeout',
    kind: SECONDS,
    env: ['HYPER2KVM_TIMEOUT'],
    default: 30,
    description: 'How long an answer of the gateway may take.',
  },
  {
    key: 'daemons.python.socket',
    kind: SOCKET,
    description:
      "The gateway's unix socket (its `gateway.socket`) on this machine. It counts where no `daemons.go.url` stands beside it.",
    group: 'gateway',
  },
  {
    key: 'daemons.python.timeout',
    kind: SECONDS,
    defaultWord: 'daemons.go.timeout',
    description: 'The same over `daemons.python.socket`.',
  },
  {
    key: 'daemons.autostart',
    kind: BOOLEAN,
    negation: 'no-start',
    default: true,
    description: 'Start a service of this machine that is stopped when `convert` or `export` needs it.',
  },
  {
    key: 'token',
    kind: TOKEN,
    flag: 'token',
    env: ['HYPER2KVM_TOKEN'],
    description: 'Token for the gateway. The file has to be of mode 0600 then; better a `token_file` or `${VARIABLE}`.',
    secret: true,
    group: 'gateway',
  },
  {
    key: 'token_file',
    kind: FILE,
    env: ['HYPER2KVM_TOKEN_FILE'],
    description: 'File of mode 0600 with the token.',
    group: 'gateway',
  },
  {
    key: 'ca_file',
    kind: FILE,
    env: ['HYPER2KVM_CA_FILE'],
    defaultWord: "the system's CAs",
    description: "PEM file with the CA of the gateway's certificate.",
    group: 'gateway',
  },
  {
    key: 'vsphere.server',
    kind: SERVER,
    flag: 'vcenter',
    env: ['VSPHERE_SERVER'],
    defaultWord: "the gateway's own",
    description: 'vCenter: host[:port], or the name of a stored connection.',
    group: 'vcenter',
  },
  {
    key: 'vsphere.username',
    kind: ACCOUNT,
    flag: 'username',
    env: ['VSPHERE_USERNAME'],
    description: 'Account at vCenter. Its password: `VSPHERE_PASSWORD` or `--password-file`.',
    group: 'vcenter',
  },
  {
    key: 'vsphere.datacenter',
    kind: ACCOUNT,
    flag: 'datacenter',
    env: ['VSPHERE_DATACENTER'],
    description: 'Datacenter to look in.',
    group: 'vcenter',
  },
  {
    key: 'vsphere.ca_file',
    kind: FILE,
    flag: 'ca-file',
    env: ['VSPHERE_CA_FILE'],
    description: "PEM file with the CA of vCenter's certificate.",
    group: 'vcenter',
  },
  {
    key: 'vsphere.thumbprint',
    kind: THUMBPRINT,
    flag: 'thumbprint',
    env: ['VSPHERE_THUMBPRINT'],
    description: "SHA-256 fingerprint of vCenter's certificate.",
    group: 'vcenter',
  },
  {
    key: 'vsphere.insecure',
    kind: BOOLEAN,
    flag: 'insecure',
    env: ['VSPHERE_INSECURE'],
    defaultWord: 'false',
    description: "Do not check vCenter's certificate.",
    group: 'vcenter',
  },
  {
    key: 'conversion.fix_network',
    kind: BOOLEAN,
    flag: 'fix-network',
    negation: 'skip-network-fix',
    defaultWord: 'true',
    description: "Fix the guest's network configuration.",
  },
  {
    key: 'conversion.fix_fstab',
    kind: BOOLEAN,
    flag: 'fix-fstab',
    defaultWord: 'true',
    description: 'Fix /etc/fstab in the guest.',
  },
  {
    key: 'conversion.fix_grub',
    kind: BOOLEAN,
    flag: 'fix-grub',
    defaultWord: 'true',
    description: "Fix the guest's bootloader.",
  },
  {
    key: 'conversion.output_dir',
    kind: REMOTE_PATH,
    flag: 'output-dir',
    defaultWord: "the converter's `output_dir`",
    description: 'Folder for results, on the converting machine.',
  },
  {
    key: 'notifications.email',
    kind: EMAIL,
    flag: 'notify',
    description: 'Hears of the end of each job or batch.',
  },
  {
    key: 'notifications.slack_webhook',
    kind: WEBHOOK,
    flag: 'slack-webhook',
    env: ['HYPER2KVM_SLACK_WEBHOOK'],
    description: 'Incoming webhook of Slack that hears of the end of each job or batch.',
    secret: true,
  },
  {
    key: 'ui.show_progress',
    kind: BOOLEAN,
    default: true,
    description: 'Draw progress. Without it only the end of a job is told.',
  },
  {
    key: 'ui.color',
    kind: BOOLEAN,
    negation: 'no-color',
    // As Node itself has it, the first of them wins. https://no-color.org: any value but the empty one.
    env: ['FORCE_COLOR', 'NO_COLOR', 'TERM'],
    ofEnv: (name, text) => {
      if (name === 'FORCE_COLOR') return !/^(0|false)$/i.test(text);
      if (name === 'NO_COLOR') return false;
      return text === 'dumb' ? false : undefined;
    },
    default: true,
    description: 'Colours on terminals. `FORCE_COLOR` has them elsewhere, too; `TERM=dumb` is a terminal without.',
  },
  {
    key: 'ui.log_level',
    kind: LEVEL,
    env: ['HYPER2KVM_LOG_LEVEL'],
    default: 'info',
    description: "Least level of what is shown of a job's log; `error` hides warnings and notes of hyperctl, too.",
  },
] as const satisfies readonly Setting[];

export type SettingKey = (typeof SETTINGS)[number]['key'];

const BY_KEY: ReadonlyMap<string, Setting> = new Map(SETTINGS.map((setting) => [setting.key, setting]));
export const settingOf = (key: string): Setting | undefined => BY_KEY.get(key);
export const KEYS: readonly string[] = SETTINGS.map(({ key }) => key);

/** `daemons`, `daemons.go`, … */
export const SECTIONS: ReadonlySet<string> = new Set(
  KEYS.flatMap((key) => {
    const parts = key.split('.');
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
  }),
);
