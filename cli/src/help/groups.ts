/** Commands and topics as an administrator looks for them; what stands in no group comes last, as `MORE`. */
export const COMMAND_GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['MOVE VMS', ['vms', 'inspect', 'convert', 'export', 'import', 'verify']],
  ['FOLLOW', ['status', 'logs', 'timeline', 'list', 'batches', 'watch', 'stats']],
  ['STEER', ['cancel', 'retry', 'priority', 'bandwidth', 'pause', 'resume', 'drain']],
  ['FLEET', ['workers', 'notify', 'dead-letters', 'retention', 'audit']],
  ['SET UP', ['doctor', 'daemon', 'config', 'vcenter', 'token', 'secrets', 'autocomplete', 'completion', 'help']],
];

/** Groups of flags in the order in which they are read; those of every command come last. */
const FLAG_GROUPS = [
  '',
  'FILES',
  'BATCH',
  'SCHEDULE',
  'EXPORT',
  'GUEST',
  'RESULT',
  'VCENTER',
  '*',
  'GATEWAY',
  'OUTPUT',
];

/** Where a group of flags stands; a group of one command's own before those of all. */
export function flagGroupPlace(group: string): number {
  const place = FLAG_GROUPS.indexOf(group.toUpperCase());
  return place === -1 ? FLAG_GROUPS.indexOf('*') : place;
}

export const FIRST_EXAMPLES: readonly (readonly [what: string, command: string])[] = [
  ['See which VMs there are', 'hyperctl vms --vcenter vcenter.example.com'],
  ['Move one, and watch it', 'hyperctl convert --vm production-db --vcenter vcenter.example.com'],
  ['Move many, three at a time', 'hyperctl convert --batch vms.txt --parallel 3'],
  ['See what became of them', 'hyperctl list --status failed'],
  ['Try one again', 'hyperctl retry --job job-7k2m9x4qa3hd'],
];

export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'a job failed or was cancelled, or the command could not be done'],
  ['2', 'usage: the command line, a file that it names, or the configuration is wrong'],
  ['3', 'the gateway cannot be reached'],
  ['4', 'not found: no such VM, job, batch, worker, token or connection'],
  ['5', 'denied: a token, a login, a permission at vCenter, a path'],
  ['130', 'interrupted by Ctrl-C; jobs go on'],
];

export const DOCUMENTATION = [
  "hyperctl COMMAND --help, man hyperctl, and in the project's folder docs: user-guide.md,",
  'troubleshooting.md (each error code), hyperctl-configuration.md.',
].join(' ');
