import type { DisksSource, OvaSource } from '@hyper2kvm/contracts';
import type { Children } from '../../transfer/index.js';
import type { PreparedSource, Source } from '../source.js';
import { AllowedRoots } from './files/allowed.js';
import type { Looking } from './disk-file.js';
import type { LocalMachine } from './local-machine.js';
import { PreparedFiles } from './prepared.js';
import { readLocal } from './read.js';

export interface LocalSourceOptions {
  /** Folders beneath which files may be named. */
  readonly allowedRoots: readonly string[];
  /** Where sockets may lie; it exists. */
  readonly workDir: string;
  /** Of the machine. An OVA tells one itself. */
  readonly vmName: string | undefined;
  readonly signal: AbortSignal;
  readonly children: Children;
}

/** Disk images, or an OVA, that lie on the worker. They are read where they lie, and never changed. */
export function createLocalSource(source: DisksSource | OvaSource, options: LocalSourceOptions): Source {
  return new LocalSource(source, options);
}

class LocalSource implements Source {
  private readonly looking: Looking;
  private found: Promise<LocalMachine> | undefined;

  constructor(
    private readonly source: DisksSource | OvaSource,
    private readonly options: LocalSourceOptions,
  ) {
    const { allowedRoots, children, signal } = options;
    this.looking = { allowed: new AllowedRoots(allowedRoots), children, signal };
  }

  async describe(): ReturnType<Source['describe']> {
    const { machine, concerns, neededBytes } = await this.look();
    return { machine, concerns, neededBytes };
  }

  async prepare(): Promise<PreparedSource> {
    return PreparedFiles.prepare(await this.look(), this.options.workDir, this.looking);
  }

  /** Nothing is ever left on files. */
  async cleanup(): Promise<undefined> {}

  async close(): Promise<void> {}

  private look(): Promise<LocalMachine> {
    this.found ??= readLocal(this.source, this.options.vmName, this.looking);
    return this.found;
  }
}
