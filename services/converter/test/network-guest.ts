import type { Machine } from '@hyper2kvm/contracts';
import type { GuestFacts } from '../src/guest/index.js';
import { runSteps, type Step, type StepsInput, type StepState } from '../src/steps/index.js';

/** A guest's files in memory, with the calls of the appliance that the file steps use. */
export class GuestTree {
  readonly files = new Map<string, string>();

  /** @param files path → content; undefined for what is there but no file (a link to /dev/null) */
  constructor(files: Readonly<Record<string, string | undefined>>) {
    for (const [file, text] of Object.entries(files)) {
      if (text === undefined) this.others.add(file);
      else this.files.set(file, text);
    }
  }

  private readonly others = new Set<string>();

  list = async (folder: string): Promise<string[]> => {
    const inside = [...this.files.keys(), ...this.others].filter((each) => each.startsWith(`${folder}/`));
    return [...new Set(inside.map((each) => each.slice(folder.length + 1).split('/')[0] ?? ''))].toSorted();
  };
  readText = async (file: string): Promise<string | undefined> => this.files.get(file);
  isFile = async (file: string): Promise<boolean> => this.files.has(file);
  isDir = async (folder: string): Promise<boolean> => (await this.list(folder)).length > 0;
  writeText = async (file: string, text: string): Promise<void> => void this.files.set(file, text);
  attempt = async (): Promise<string> => '';
  lines = async (): Promise<string[]> => [];
  call = async ([command, from = '', to = '']: readonly string[]): Promise<string> => {
    if (command === 'mv') this.files.set(to, this.files.get(from) ?? '');
    if (command === 'ln-sf') this.files.set(to, `-> ${from}`);
    if (command === 'mv' || command === 'rm') {
      if (!this.files.delete(from)) throw new Error(`${from} is missing`);
    } else if (command !== 'mkdir-p' && command !== 'ln-sf') throw new Error(`${command} is not known here`);
    return '';
  };
}

export const NO_FACTS: GuestFacts = {
  root: '/dev/sda1',
  type: 'linux',
  distro: 'debian',
  product: 'Debian GNU/Linux 12 (bookworm)',
  version: { major: 12, minor: 0 },
  arch: 'x86_64',
  packageFormat: 'deb',
  mountpoints: [{ path: '/', device: '/dev/sda1', mountable: '/dev/sda1' }],
  fileSystems: [{ device: '/dev/sda1', type: 'ext4', uuid: 'aaaa-root' }],
  diskCount: 1,
  systemd: 252,
  init: 'systemd',
  luks: [],
};

export interface Ran {
  readonly state: StepState;
  /** Files that are not as they were, with their content; undefined for those that are gone. */
  readonly changed: Readonly<Record<string, string | undefined>>;
}

/** Runs a step on the tree, as a conversion does. */
export async function runStep(
  step: Step,
  tree: GuestTree,
  input: { facts?: Partial<GuestFacts>; nics?: Machine['nics']; generatedMacs?: readonly string[] } = {},
): Promise<Ran> {
  const before = new Map(tree.files);
  const state = await runSteps([step], {
    appliance: tree,
    guest: { ...NO_FACTS, ...input.facts },
    machine: {
      name: 'vm',
      cpus: 1,
      memory_bytes: 1,
      firmware: 'bios',
      secure_boot: false,
      disks: [],
      nics: input.nics ?? [],
    },
    generatedMacs: input.generatedMacs ?? [],
    options: { fix_fstab: true, fix_network: true },
    dryRun: false,
    work: { log: () => undefined, signal: new AbortController().signal },
    reporter: { step: async (_name: string, run: (done: () => void) => unknown) => run(() => undefined) },
  } as unknown as StepsInput);
  const paths = new Set([...before.keys(), ...tree.files.keys()]);
  const different = [...paths].filter((each) => before.get(each) !== tree.files.get(each)).toSorted();
  return { state, changed: Object.fromEntries(different.map((each) => [each, tree.files.get(each)])) };
}

export const codes = (state: StepState): string[] => state.concerns.map(({ code }) => code);
