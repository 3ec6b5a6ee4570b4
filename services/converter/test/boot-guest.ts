import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '@hyper2kvm/contracts';
import type { Appliance, FileSystem, GuestFacts, Mountpoint } from '../src/guest/index.js';
import { runSteps, type Step, type StepState } from '../src/steps/index.js';

const FIXTURES = path.join(import.meta.dirname, 'fixtures/boot');

/** Files of a distribution as its tools write them, by their paths in the guest. */
export function fixture(name: string): Record<string, string> {
  const root = path.join(FIXTURES, name);
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return Object.fromEntries(
    files.map((each) => {
      const file = path.join(each.parentPath, each.name);
      return [`/${path.relative(root, file)}`, readFileSync(file, 'latin1')];
    }),
  );
}

/** Empty files, for what only has to be there. */
export const empty = (...paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((each) => [each, '']));

/** Kernels with their modules and their initramfs. */
export const kernels = (versions: readonly string[], initrd = (version: string) => `initrd.img-${version}`) =>
  empty(
    ...versions.flatMap((version) => [
      `/boot/vmlinuz-${version}`,
      `/boot/${initrd(version)}`,
      `/lib/modules/${version}/modules.dep`,
    ]),
  );

/** A guest's files in memory, with the calls of the appliance that the steps use. */
export class BootGuest {
  readonly files: Map<string, string>;
  /** Unmounted FAT: device → its files from its top. */
  readonly spare: Readonly<Record<string, Readonly<Record<string, string>>>>;

  constructor(files: Readonly<Record<string, string>>, spare: BootGuest['spare'] = {}) {
    this.files = new Map(Object.entries(files));
    this.spare = spare;
  }

  list = async (folder: string): Promise<string[]> => {
    const inside = [...this.files.keys()].filter((each) => each.startsWith(`${folder}/`));
    return [...new Set(inside.map((each) => each.slice(folder.length + 1).split('/')[0] ?? ''))].toSorted();
  };
  readText = async (file: string): Promise<string | undefined> => this.files.get(file);
  isFile = async (file: string): Promise<boolean> => this.files.has(file);
  writeText = async (file: string, text: string): Promise<void> => void this.files.set(file, text);
  attempt = async (argv: readonly [string, ...string[]]): Promise<string> => this.call(argv);
  call = async ([command, from = '', to = '']: readonly string[]): Promise<string> => {
    switch (command) {
      case 'cp':
        this.files.set(to, this.files.get(from) ?? missing(from));
        return '';
      case 'rm-f':
        this.files.delete(from);
        return '';
      case 'filesize':
        return String((this.files.get(from) ?? missing(from)).length);
      case 'mount':
        for (const [file, text] of Object.entries(this.spare[from] ?? missing(from))) this.files.set(to + file, text);
        return '';
      case 'umount':
        for (const file of this.files.keys()) if (file.startsWith(`${from}/`)) this.files.delete(file);
        return '';
      case 'mkdir-p':
        return '';
      default:
        throw new Error(`${command} is not known here`);
    }
  };
}

const missing = (file: string): never => {
  throw new Error(`${file} is missing`);
};

/** `/=/dev/sda2:ext4:aaaa`, `swap=/dev/sda3:swap:bbbb`; a place that starts with `/` is mounted. */
export function facts(...volumes: readonly string[]): Pick<GuestFacts, 'mountpoints' | 'fileSystems' | 'diskCount'> {
  const mountpoints: Mountpoint[] = [];
  const fileSystems: FileSystem[] = [];
  for (const volume of volumes) {
    const [, place = '', device = '', type = '', uuid = ''] = /^([^=]*)=([^:]*):([^:]*):(.*)$/.exec(volume) ?? [];
    fileSystems.push({ device, type, uuid });
    if (place.startsWith('/')) mountpoints.push({ path: place, device, mountable: device });
  }
  return { mountpoints, fileSystems, diskCount: 1 };
}

export interface Case {
  readonly guest: BootGuest;
  readonly facts: Partial<GuestFacts>;
  readonly machine?: Partial<Machine>;
  readonly options?: Readonly<Record<string, boolean>>;
  /** What `initramfs` would have set. */
  readonly kernels?: readonly string[];
}

export interface Ran {
  readonly state: StepState;
  /** Files that are not as they were; undefined for those that are gone. */
  readonly changed: Readonly<Record<string, string | undefined>>;
  readonly concerns: readonly string[];
}

export async function run(steps: readonly Step[], input: Case): Promise<Ran> {
  const before = new Map(input.guest.files);
  const prepare: Step = {
    name: 'initramfs',
    run: async ({ state }) => void (state.kernels = input.kernels ?? []),
  };
  const state = await runSteps([prepare, ...steps], {
    appliance: input.guest as unknown as Appliance,
    guest: { ...NO_FACTS, ...input.facts },
    machine: { firmware: 'bios', secure_boot: false, ...input.machine } as Machine,
    generatedMacs: [],
    options: { fix_fstab: true, fix_grub: true, fix_network: true, ...input.options } as never,
    dryRun: false,
    work: { log: () => undefined, signal: new AbortController().signal },
    folder: '',
    reporter: { step: async (_name, work) => work(() => undefined) },
  });
  const names = new Set([...before.keys(), ...input.guest.files.keys()]);
  const changed = [...names].filter((file) => before.get(file) !== input.guest.files.get(file));
  return {
    state,
    changed: Object.fromEntries(changed.map((file) => [file, input.guest.files.get(file)])),
    concerns: state.concerns.map(({ code, message }) => `${code} ${message}`),
  };
}

const NO_FACTS: GuestFacts = {
  root: '/dev/sda1',
  type: 'linux',
  distro: 'debian',
  product: 'a guest',
  version: { major: 0, minor: 0 },
  arch: 'x86_64',
  packageFormat: 'deb',
  systemd: 252,
  init: 'systemd',
  luks: [],
  ...facts('/=/dev/sda1:ext4:aaaa-root'),
};
