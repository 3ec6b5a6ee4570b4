import { arch } from 'node:os';
import { failed, ok, skipped, warning, type Check, type Outcome } from '../check.js';
import type { Machine } from '../machine.js';
import { installLine, versionOf, whereIs } from '../programs.js';

const LEAST_NODE = [20, 19] as const;

/** What each group of commands is for, and what is lost without it. */
interface Wanted {
  readonly id: string;
  readonly title: string;
  /** The first one's version is shown. */
  readonly commands: readonly string[];
  readonly without: string;
  /** False: only some migrations need it. */
  readonly always: boolean;
}

const WANTED: readonly Wanted[] = [
  {
    id: 'qemu',
    title: 'QEMU',
    commands: ['qemu-system-x86_64', 'qemu-img', 'qemu-nbd'],
    without: 'no disk can be written, and no boot proof is possible',
    always: true,
  },
  {
    id: 'guestfish',
    title: 'libguestfs',
    commands: ['guestfish'],
    without: 'no guest can be converted',
    always: true,
  },
  {
    id: 'virt-v2v',
    title: 'virt-v2v',
    commands: ['virt-v2v-in-place'],
    without: 'Windows guests cannot be converted; Linux guests can',
    always: false,
  },
  {
    id: 'swtpm',
    title: 'swtpm',
    commands: ['swtpm'],
    without: 'guests with a TPM cannot be proven to boot, nor run',
    always: false,
  },
  {
    id: 'virsh',
    title: 'libvirt client',
    commands: ['virsh'],
    without: 'converted VMs cannot be defined in libvirt (--to-libvirt, hyperctl import)',
    always: false,
  },
];

const node: Check = {
  id: 'node',
  group: 'programs',
  title: 'Node.js',
  run: async () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const fine = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
    if (!fine)
      return failed(`v${process.versions.node}`, `hyper2kvm needs Node.js ${LEAST_NODE.join('.')} or newer`, [
        'https://nodejs.org/en/download has packages for every distribution',
      ]);
    if (arch() !== 'x64')
      return warning(`v${process.versions.node}, ${arch()}`, 'guests are x86_64: here they run by emulation alone');
    return ok(`v${process.versions.node}`);
  },
};

const program = ({ id, title, commands, without, always }: Wanted): Check => ({
  id,
  group: 'programs',
  title,
  run: async ({ isRoot }: Machine): Promise<Outcome> => {
    const places = await Promise.all(commands.map(whereIs));
    const missing = commands.filter((_, index) => places[index] === undefined);
    const [first] = places;
    if (missing.length === 0 && first !== undefined) return ok((await versionOf(first)) ?? first);
    const found = `${missing.join(', ')}: not installed`;
    return (always ? failed : warning)(found, without, [await installLine(missing, !isRoot)]);
  },
});

/** Only the local stack runs one by itself. */
const natsServer: Check = {
  id: 'nats-server',
  group: 'programs',
  title: 'nats-server',
  run: async ({ stack, configFile, isRoot }) => {
    if (stack === undefined && configFile !== undefined) return skipped('the services name a server of their own');
    const place = await whereIs('nats-server');
    if (place !== undefined) return ok((await versionOf(place)) ?? place);
    return failed('not installed', 'hyperctl daemon start runs it', [await installLine(['nats-server'], !isRoot)]);
  },
};

export const PROGRAM_CHECKS: readonly Check[] = [node, ...WANTED.map(program), natsServer];
