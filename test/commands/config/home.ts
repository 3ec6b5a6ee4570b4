import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Options } from 'execa';
import { onTestFinished } from 'vitest';
import { hyperctl, type Ran } from '../site/index.js';

/** What the tests' own environment says of settings would count before the file. */
const SILENT = {
  HYPER2KVM_URL: '',
  VSPHERE_SERVER: '',
  VSPHERE_USERNAME: '',
  VSPHERE_PASSWORD: '',
  VSPHERE_CA_FILE: '',
};

/** Somebody's home with a configuration of hyperctl, gone after the test. */
export class Home {
  private constructor(
    readonly folder: string,
    readonly file: string,
  ) {}

  /** @param text of the file; undefined: there is none */
  static async with(text?: string): Promise<Home> {
    const folder = await mkdtemp(path.join(tmpdir(), 'hyperctl-home-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const home = new Home(folder, path.join(folder, '.config', 'hyper2kvm', 'config.yaml'));
    if (text !== undefined) await home.write(text);
    return home;
  }

  async write(text: string): Promise<void> {
    await mkdir(path.dirname(this.file), { recursive: true });
    await writeFile(this.file, text);
  }

  /** Undefined where there is none. */
  async text(): Promise<string | undefined> {
    return existsSync(this.file) ? readFile(this.file, 'utf8') : undefined;
  }

  async mode(): Promise<string> {
    return ((await stat(this.file)).mode & 0o777).toString(8);
  }

  /** Runs hyperctl as its owner. */
  run(args: readonly string[], env: Record<string, string> = {}, options: Options = {}): Promise<Ran> {
    return hyperctl(args, { ...SILENT, HOME: this.folder, ...env }, options);
  }
}
