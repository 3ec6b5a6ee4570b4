/** What the tests of the export share: disks made by qemu-img, ports that record, and a vCenter that holds them. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import type { JobLog, JobProgress } from '@hyper2kvm/contracts';
import {
  DEFAULT_SETTINGS,
  Slots,
  VcenterSessions,
  type Endpoint,
  type ExportPorts,
  type ExportSettings,
} from '@hyper2kvm/exporter';
import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
import type { Vcsim, VcsimDisk } from '../support/vcsim.js';

export interface TestDisk {
  raw: string;
  vmdk: string;
  capacityBytes: number;
}

/** A disk with data at its start, across a grain's and a segment's edge, and in its last bytes; the rest is a hole. */
export async function makeDisk(folder: string, name: string, capacityBytes: number): Promise<TestDisk> {
  const raw = path.join(folder, `${name}.raw`);
  const vmdk = path.join(folder, `${name}.vmdk`);
  const file = await open(raw, 'w');
  try {
    await file.truncate(capacityBytes);
    const text = Buffer.alloc(700_000, `${name}: text that deflates well. `);
    for (const at of [0, 64 * 2 ** 20 - 300_000, capacityBytes - text.length])
      await file.write(text, 0, text.length, at);
  } finally {
    await file.close();
  }
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk]);
  return { raw, vmdk, capacityBytes };
}

/** A disk as the simulated vCenter serves it, by its export stream and by its flat file. */
export const servedDisk = ({ capacityBytes, vmdk, raw }: TestDisk): VcsimDisk => ({
  capacity_bytes: capacityBytes,
  vmdk,
  flat: raw,
});

/** Bytes that the simulator has sent for disks, by whatever way. */
export const bytesServed = async (vcsim: Vcsim, file: RegExp = /./): Promise<number> =>
  (await vcsim.control()).downloads.filter(({ path: at }) => file.test(at)).reduce((sum, { bytes }) => sum + bytes, 0);

export const messagesOf = ({ log }: Recorded): string[] => log.map(({ message }) => message);

export const tempFolder = async (): Promise<string> => mkdtemp(path.join(tmpdir(), 'h2k-exp-'));
export const removeFolder = async (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** As a job's source arrives at the exporter, with the certificate pinned. */
export const endpointOf = (vcsim: Vcsim, change: Partial<Endpoint> = {}): Endpoint => ({
  server: vcsim.host,
  username: vcsim.username,
  password: vcsim.password,
  trust: { fingerprints: [vcsim.thumbprint], insecure: false },
  ...change,
});

/** Short pauses: what is tested is that they end right, not how long they take. */
export const settingsFor = (workDir: string, change: Partial<ExportSettings> = {}): ExportSettings => ({
  ...DEFAULT_SETTINGS,
  workDir,
  leaseWaitMs: 10_000,
  diskRetryMs: [],
  cleanupRetryMs: [100, 200],
  // The machine of the tests may have little.
  minFreeBytes: 0,
  ...change,
});

export interface Recorded {
  ports: ExportPorts;
  stop: AbortController;
  log: { level: JobLog['level']; message: string }[];
  progress: Omit<JobProgress, 'job_id' | 'attempt' | 'time'>[];
}

/** One per test file, as one per worker; what idles in it does not hold the process. */
const sessions = new VcenterSessions();

/** Real child processes; the job's log and progress are kept for the test to look at. */
export function recordingPorts(onProgress?: (recorded: Recorded) => void): Recorded {
  const recorded: Recorded = {
    stop: new AbortController(),
    log: [],
    progress: [],
    ports: {
      children: { spawn: spawnGuarded, run: runGuarded },
      diskSlots: new Slots(6),
      sessions,
      work: {
        get signal() {
          return recorded.stop.signal;
        },
        assertOwner: async () => recorded.stop.signal.throwIfAborted(),
        progress: (update) => {
          recorded.progress.push(update);
          onProgress?.(recorded);
        },
        log: (level, message) => void recorded.log.push({ level, message }),
      },
    },
  };
  return recorded;
}

/** Whether an image reads like a raw file. */
export async function sameContent(qcow2: string, raw: string): Promise<boolean> {
  const { exitCode, stderr } = await execa('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', qcow2, raw], {
    reject: false,
  });
  if (exitCode !== 0 && exitCode !== 1) throw new Error(stderr);
  return exitCode === 0;
}
