import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readState, stackPaths, type StackState } from '@hyper2kvm/cli';
import { hyperctl as run } from '../../integration/cli-standin.js';
import { expectNoProcesses } from '../../support/processes.js';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A local stack of a test's own. */
export class Home {
  readonly path = mkdtempSync(path.join(tmpdir(), 'hyperctl-daemon-'));
  constructor() {
    // The database runs as another user when root starts it.
    chmodSync(this.path, 0o711);
  }

  get paths() {
    return stackPaths(this.path);
  }

  async run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    const ended = await run(args, { HYPER2KVM_HOME: this.path, ...env }, { stdin: 'ignore' });
    return { exitCode: ended.exitCode ?? 255, stdout: String(ended.stdout), stderr: String(ended.stderr) };
  }

  daemon(...args: string[]): Promise<Ran> {
    return this.run(['daemon', ...args]);
  }

  /** nats-server and PostgreSQL alone: the supervisor treats the four services alike, and these two start in a second. */
  async start(): Promise<void> {
    const started = await this.daemon('start', '--only', 'nats,postgres');
    if (started.exitCode !== 0) throw new Error(started.stderr);
  }

  get state(): StackState {
    const found = readState(this.paths.state);
    if (found === undefined) throw new Error('the stack has no state');
    return found;
  }

  pid(service: string): number {
    return this.state.services[service]?.process?.pid ?? -1;
  }

  /** Stops it, and proves that nothing of it runs any more. */
  async remove(): Promise<void> {
    await this.daemon('stop', '--all', '--now');
    await expectNoProcesses(this.path);
    rmSync(this.path, { recursive: true, force: true });
  }
}
