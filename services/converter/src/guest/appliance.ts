import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError, type LuksKey } from '@hyper2kvm/contracts';
import { tellSlow, tellText, type GuardedProcess } from '@hyper2kvm/runtime';
import { execa } from 'execa';
import { writeKeyDisk, type KeyDisk } from './devices/index.js';
import type { Accelerator } from './kvm.js';
import { clearLeftovers, noteLeftovers } from './leftovers.js';
import { quoteList } from './quote.js';
import { environment, listen, socketFolders } from './server.js';

export interface ApplianceDisk {
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
}

export interface ApplianceOptions {
  /** In the order in which the guest sees them: the first is /dev/sda. Only overlays: the host's flushes are skipped. */
  readonly disks: readonly ApplianceDisk[];
  /** A folder of its own for temporary files; made when missing. */
  readonly folder: string;
  /** Where libguestfs keeps its built appliance, shared by all jobs. */
  readonly cacheDir: string;
  readonly accelerator: Accelerator;
  /** To be had by `keyDisk`. */
  readonly luksKeys?: readonly LuksKey[];
  readonly signal: AbortSignal;
}

/** Most calls take 30 ms; the long ones are given their own limit. */
const CALL_LIMIT_MS = 120_000;
const LAUNCH_LIMIT_MS = 300_000;
/** Characters that a call may print: an initramfs lists about 100,000. */
const OUTPUT_LIMIT = 32 * 1024 * 1024;
/** Argon2, which protects LUKS volumes, takes up to 1 GiB for a moment. */
const MEMORY_MIB = { plain: 1280, withKeys: 2304 };
const { S_IFMT, S_IFREG } = constants;
/** No configuration file of a guest is larger; what is larger is not read. */
const TEXT_LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * One libguestfs appliance: a small Linux in QEMU, the only thing that touches the guest's file systems. guestfish
 * listens for the whole job (a launch takes 10 s without KVM, a call 30 ms), driven by one `guestfish --remote` per call.
 *
 * A call that fails ends the appliance, because only then does guestfish give an exit code: ask first (`isFile`).
 */
export class Appliance {
  private keys: KeyDisk | undefined;

  private constructor(
    private readonly server: GuardedProcess,
    private readonly pid: string,
    private readonly errors: readonly string[],
    private readonly options: ApplianceOptions,
  ) {}

  /** Starts guestfish, adds the disks and launches. Nothing is mounted yet. */
  static async start(options: ApplianceOptions): Promise<Appliance> {
    await mkdir(options.folder, { recursive: true });
    const { server, pid, errors } = await listen(options);
    const appliance = new Appliance(server, pid, errors, options);
    try {
      await appliance.launch();
      return appliance;
    } catch (error) {
      await appliance.stop();
      throw error;
    }
  }

  private async launch(): Promise<void> {
    const socket = `/tmp/.guestfish-${process.getuid?.() ?? 0}/socket-${this.pid}`;
    await noteLeftovers(this.options.folder, [socket]);
    for (const disk of this.options.disks) {
      await this.call(['add', disk.file, `format:${disk.format}`, 'cachemode:unsafe', 'discard:enable']);
    }
    const keyFile = await this.addKeys();
    await this.call(['set-smp', '2']);
    await this.call(['set-memsize', String(keyFile === undefined ? MEMORY_MIB.plain : MEMORY_MIB.withKeys)]);
    try {
      await Promise.all([this.call(['run'], LAUNCH_LIMIT_MS), this.noteSockets(socket)]);
    } finally {
      // QEMU holds it open.
      if (keyFile !== undefined) await rm(keyFile, { force: true });
    }
  }

  /** A disk of the keys behind the guest's own. */
  private async addKeys(): Promise<string | undefined> {
    const { luksKeys = [], folder, disks } = this.options;
    if (luksKeys.length === 0) return undefined;
    const file = path.join(folder, `keys-${randomUUID()}`);
    this.keys = { target: disks.length, keys: await writeKeyDisk(file, luksKeys) };
    await this.call(['add', file, 'format:raw', 'readonly:true']);
    return file;
  }

  /** Where the appliance has the LUKS keys that it was given. */
  get keyDisk(): KeyDisk | undefined {
    return this.keys;
  }

  /** The appliance's sockets appear early in the launch, which takes seconds in which the worker may be killed. */
  private async noteSockets(socket: string): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const folders = await socketFolders(this.pid);
      if (folders.length > 0) return noteLeftovers(this.options.folder, [socket, ...folders]);
      await sleep(50, undefined, { signal: this.options.signal });
    }
  }

  /**
   * One guestfish command; gives what it prints.
   * @throws JobError CHILD_FAILED with libguestfs's own words; the appliance has ended then
   */
  async call(argv: readonly [command: string, ...args: string[]], timeoutMs = CALL_LIMIT_MS): Promise<string> {
    const { signal } = this.options;
    signal.throwIfAborted();
    const began = Date.now();
    // Not under a guard, which would triple its time: without its server the client ends by itself.
    const { failed, timedOut, stdout, stderr } = await execa('guestfish', [`--remote=${this.pid}`, '--', ...argv], {
      env: environment(this.options),
      extendEnv: true,
      stdin: 'ignore',
      reject: false,
      stripFinalNewline: false,
      timeout: timeoutMs,
      cancelSignal: signal,
      maxBuffer: OUTPUT_LIMIT,
    });
    tellSlow(`guestfish ${argv[0].replace(/^-/, '')}`, began);
    if (!failed) return stdout;
    signal.throwIfAborted();
    // The session's end closes its stderr: what it says is complete then.
    await this.server.kill();
    const said = this.errors.filter((line) => line.startsWith('libguestfs: error:')).at(-1);
    const reason = timedOut
      ? `no answer within ${timeoutMs / 1000} s`
      : (said?.slice('libguestfs: error: '.length) ?? stderr);
    throw new JobError('CHILD_FAILED', `guestfish ${argv[0]}: ${reason}`);
  }

  /** A call whose failure is no news: gives what it printed, nothing when it failed. The appliance lives on. */
  async attempt(argv: readonly [command: string, ...args: string[]], timeoutMs = CALL_LIMIT_MS): Promise<string> {
    const [command, ...args] = argv;
    return this.call([`-${command}`, ...args], timeoutMs);
  }

  /** Like `command`, but its failure is no news: look afterwards whether it did what it should. */
  async tryCommand(argv: readonly string[], timeoutMs = CALL_LIMIT_MS): Promise<string> {
    return this.attempt(['command', quoteList(argv)], timeoutMs);
  }

  /** The lines a call prints, without empty ones. */
  async lines(argv: readonly [command: string, ...args: string[]]): Promise<string[]> {
    return (await this.call(argv)).split('\n').filter((line) => line !== '');
  }

  /** Runs a command inside the guest (chroot, with its /dev, /proc and /sys). */
  async command(argv: readonly string[], timeoutMs = CALL_LIMIT_MS): Promise<string> {
    const said = await this.call(['command', quoteList(argv)], timeoutMs);
    tellText(argv[0] ?? '', said);
    return said;
  }

  /**
   * Runs a shell script in the appliance itself, where the guest lies below /sysroot: for what libguestfs has no call
   * for. Nothing of the guest may stand in it.
   * @param script without single quotes, which guestfish takes for its own; it has to end with success
   */
  async script(script: string, timeoutMs = CALL_LIMIT_MS): Promise<string> {
    if (script.includes("'")) throw new JobError('INTERNAL', 'a script for the appliance has a single quote');
    return this.call(['debug', 'sh', `'${script}'`], timeoutMs);
  }

  async isFile(file: string): Promise<boolean> {
    return this.asks(['is-file', file, 'followsymlinks:true']);
  }

  /** Anything of that name, also a link that leads nowhere. */
  async exists(file: string): Promise<boolean> {
    return (await this.attempt(['lstat', file])) !== '';
  }

  async isDir(folder: string): Promise<boolean> {
    return this.asks(['is-dir', folder, 'followsymlinks:true']);
  }

  private async asks(argv: readonly [string, ...string[]]): Promise<boolean> {
    return (await this.call(argv)).trim() === 'true';
  }

  /** The names in a folder of the guest, sorted; none when it is missing. */
  async list(folder: string): Promise<string[]> {
    return (await this.isDir(folder)) ? this.lines(['ls', folder]) : [];
  }

  /**
   * What is there of all these patterns of glob(3), sorted; folders end with "/".
   * @param patterns absolute, without braces and commas
   */
  async glob(patterns: readonly string[]): Promise<string[]> {
    const [first = '', ...others] = patterns;
    // Braces around one pattern would be part of a name.
    const pattern = others.length === 0 ? first : `/{${patterns.map((each) => each.slice(1)).join(',')}}`;
    return this.lines(['glob-expand', pattern]);
  }

  /** Copies a file out of the guest. */
  async download(guestFile: string, localFile: string, timeoutMs = CALL_LIMIT_MS): Promise<void> {
    await this.call(['download', guestFile, localFile], timeoutMs);
  }

  /** Copies a file into the guest; an existing one keeps its owner, mode and attributes. */
  async upload(localFile: string, guestFile: string, timeoutMs = CALL_LIMIT_MS): Promise<void> {
    await this.call(['upload', localFile, guestFile], timeoutMs);
  }

  /**
   * A text file, undefined when it is missing. Read as latin1 so that every byte survives being written back.
   * @throws JobError GUEST_UNSUPPORTED when it is larger than the limit (bytes)
   */
  async readText(file: string, limitBytes = TEXT_LIMIT_BYTES): Promise<string | undefined> {
    const size = await this.sizeOfFile(file);
    if (size === undefined) return undefined;
    if (!(size <= limitBytes)) {
      throw new JobError(
        'GUEST_UNSUPPORTED',
        `${file} in the guest has ${size} bytes, more than the ${limitBytes} that are read`,
      );
    }
    return this.through(async (local) => {
      await this.download(file, local);
      return readFile(local, 'latin1');
    });
  }

  /** Writes a text file (latin1, see `readText`); an existing one keeps its owner, mode and attributes. */
  async writeText(file: string, text: string): Promise<void> {
    await this.through(async (local) => {
      await writeFile(local, text, 'latin1');
      await this.upload(local, file);
    });
  }

  /** Undefined for what is missing or no regular file. */
  private async sizeOfFile(file: string): Promise<number | undefined> {
    const stat = await this.attempt(['statns', file]);
    const field = (name: string): number => Number(new RegExp(`^st_${name}: (\\d+)$`, 'm').exec(stat)?.[1]);
    return (field('mode') & S_IFMT) === S_IFREG ? field('size') : undefined;
  }

  private async through<T>(use: (local: string) => Promise<T>): Promise<T> {
    const local = path.join(this.options.folder, `transfer-${randomUUID()}`);
    try {
      return await use(local);
    } finally {
      await rm(local, { force: true });
    }
  }

  /** Unmounts, flushes and shuts down; a failure means that what was written may not be on the disk. */
  async close(): Promise<void> {
    await this.call(['umount-all']);
    await this.call(['shutdown']);
    await this.attempt(['exit']).catch(() => undefined);
    await this.stop();
  }

  /** Ends it at once; for failures and cancellation. Never throws. */
  async stop(): Promise<void> {
    await this.server.kill();
    await clearLeftovers(this.options.folder);
    await rm(this.options.folder, { recursive: true, force: true });
  }
}
