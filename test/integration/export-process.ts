/** The exporter as its own process, asked over a real NATS, as the gateway asks it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  cleanupCompleted,
  cleanupFailed,
  cleanupRequested,
  describeVm,
  exportCompleted,
  exportFailed,
  ExportOptions,
  exportRequested,
  jobLog,
  jobProgress,
  listVms,
  type CleanupCompleted,
  type CleanupFailed,
  type CommandFence,
  type EventData,
  type EventDefinition,
  type ExportCompleted,
  type ExportFailed,
  type InventoryVm,
  type JobProgress,
  type Machine,
  type VsphereSource,
} from '@hyper2kvm/contracts';
import { createLogger, openBus, Sealer, type Bus } from '@hyper2kvm/runtime';
import { startNats } from '../support/nats.js';
import type { Vcsim } from '../support/vcsim.js';

const MAIN = fileURLToPath(import.meta.resolve('@hyper2kvm/exporter')).replace(/index\.js$/, 'main.js');

export interface ExporterProcess {
  readonly pid: number;
  /** All that it wrote. */
  readonly output: string[];
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface ExportBench {
  readonly workDir: string;
  start(): Promise<ExporterProcess>;
  /** Asks for an export; returns once the message is stored. */
  request(jobId: string, vmName: string, vcsim: Vcsim, options?: Partial<ExportOptions>): Promise<void>;
  /** Asks for the clean-up after an export, and waits for its end. */
  cleanUp(
    jobId: string,
    vmName: string,
    vcsim: Vcsim,
  ): Promise<{ completed: CleanupCompleted } | { failed: CleanupFailed }>;
  cancel(jobId: string): Promise<void>;
  list(vcsim: Vcsim, page: { offset: number; limit: number }): Promise<{ vms: InventoryVm[]; total: number }>;
  /** Limits a job while it runs. */
  limit(jobId: string, bytesPerSecond: number | null): Promise<void>;
  describe(vmName: string, source: VsphereSource): Promise<Machine>;
  sourceOf(vcsim: Vcsim, password?: string): VsphereSource;
  /** Waits for the fact that ends the export. */
  outcome(jobId: string): Promise<{ completed: ExportCompleted } | { failed: ExportFailed }>;
  /** Newest progress first seen that satisfies the condition. */
  progressUntil(jobId: string, condition: (progress: JobProgress) => boolean): Promise<JobProgress>;
  logs(jobId: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** NATS and a key, in a folder of the test's; what was started is stopped by `stop`. */
export async function startExportBench(folder: string): Promise<ExportBench> {
  const workDir = path.join(folder, 'export');
  const nats = await startNats();
  const key = randomBytes(32).toString('base64');
  const sealer = Sealer.fromConfig({ key });
  const config = path.join(folder, 'config.yaml');
  await writeFile(
    config,
    JSON.stringify({
      nats: { servers: nats.servers },
      secrets: { key },
      exporter: { work_dir: workDir, shutdown_grace_seconds: 0, min_free_bytes: 0 },
    }),
    { mode: 0o600 },
  );
  const { bus, queue, close } = await openBus({
    nats: { servers: nats.servers, replicas: 1 },
    service: 'test',
    workerId: 'test',
    logger: createLogger('test', 'error'),
  });
  const running: ExporterProcess[] = [];
  const sourceOf = (vcsim: Vcsim, password = vcsim.password): VsphereSource => ({
    kind: 'vsphere',
    server: vcsim.host,
    username: vcsim.username,
    password_sealed: sealer.seal(password),
    tls: { thumbprint: vcsim.thumbprint, insecure: false },
  });
  return {
    workDir,
    sourceOf,
    start: async () => {
      const started = await startProcess(config);
      running.push(started);
      return started;
    },
    request: async (jobId, vmName, vcsim, options = {}) => {
      const data = { ...fence(jobId), vm_name: vmName, source: sourceOf(vcsim), options: ExportOptions.parse(options) };
      await queue.send(exportRequested, data, { eventId: randomUUID() });
    },
    cleanUp: async (jobId, vmName, vcsim) => {
      const data = { ...fence(jobId), vm_name: vmName, source: sourceOf(vcsim), remove_files: true };
      await queue.send(cleanupRequested, data, { eventId: randomUUID() });
      return firstOf(bus, jobId, cleanupCompleted, cleanupFailed);
    },
    cancel: async (jobId) => queue.cancel(exportRequested, jobId),
    list: async (vcsim, page) =>
      bus.request(listVms, { source: sourceOf(vcsim), filter: { templates: false }, ...page }),
    limit: async (jobId, bytesPerSecond) => bus.setBandwidth('job', jobId, bytesPerSecond),
    describe: async (vmName, source) => bus.request(describeVm, { source, vm_name: vmName }),
    outcome: async (jobId) => firstOf(bus, jobId, exportCompleted, exportFailed),
    progressUntil: async (jobId, condition) => {
      const stop = new AbortController();
      for await (const { data } of bus.follow(jobProgress, jobId, { from: 'last', signal: stop.signal }))
        if (condition(data)) return data;
      throw new Error('the progress ended');
    },
    logs: async (jobId) => (await bus.history(jobLog, jobId, 1000)).map(({ message }) => message),
    stop: async () => {
      for (const child of running) await child.kill('SIGKILL');
      await close();
      await nats.stop();
    },
  };
}

/** @param config path of the configuration */
export async function startProcess(config: string): Promise<ExporterProcess> {
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: { ...process.env, HYPER2KVM_CONFIG: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the exporter ended: ${output.join('\n')}`)));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        if (line.includes('"ready"')) resolve();
      });
    }
  });
  return {
    pid: child.pid ?? -1,
    output,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

const fence = (jobId: string): CommandFence => ({
  job_id: jobId,
  attempt: 1,
  generation: 0,
  lane: 'normal',
  pool: 'any',
});

/** The fact that ends it. */
export async function firstOf<C extends EventDefinition, F extends EventDefinition>(
  bus: Bus,
  jobId: string,
  completed: C,
  failed: F,
): Promise<{ completed: EventData<C> } | { failed: EventData<F> }> {
  const stop = new AbortController();
  const first = async <D extends EventDefinition>(event: D): Promise<EventData<D>> => {
    for await (const { data } of bus.follow(event, jobId, { from: 'all', signal: stop.signal })) return data;
    return new Promise(() => {});
  };
  try {
    return await Promise.race([
      first(completed).then((data) => ({ completed: data })),
      first(failed).then((data) => ({ failed: data })),
    ]);
  } finally {
    stop.abort();
  }
}
