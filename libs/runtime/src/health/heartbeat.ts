import { hostname } from 'node:os';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { WorkerHeartbeat } from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import { VERSION } from '../version.js';
import type { WorkerDuty } from '../work/duty.js';

/** A third of the bucket's time to live. */
const BEAT_MS = 10_000;
/** What was being taken when the worker was told to take nothing is among its jobs, or given back, by then. */
const SETTLED_MS = 1_000;

export interface Heartbeat {
  stop(): Promise<void>;
}

/** Bytes free for this process in the file system of a folder, which need not exist yet; null where that cannot be told. */
export async function diskFree(folder: string | undefined): Promise<number | null> {
  if (folder === undefined) return null;
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = path.dirname(folder);
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== folder ? diskFree(parent) : null;
  }
}

/** Tells the bucket `workers` every ten seconds, and when it was told to pause or go on, that this process lives; the entry vanishes with it. */
export async function startHeartbeat(
  bus: Bus,
  self: {
    service: string;
    workerId: string;
    pools: readonly string[];
    slots: number;
    workDir?: string | undefined;
    activeJobs: () => string[];
    /** Bytes a second; null where there is no limit. */
    bandwidth?: () => number | null;
    duty?: Pick<WorkerDuty, 'current' | 'onChange'>;
  },
): Promise<Heartbeat> {
  const started = new Date().toISOString();
  const key = `${self.service}.${self.workerId}`;
  const beat = async (): Promise<void> => {
    const bandwidth = self.bandwidth?.() ?? null;
    const duty = self.duty?.current ?? 'running';
    const heartbeat: WorkerHeartbeat = {
      worker_id: self.workerId,
      service: self.service,
      version: VERSION,
      host: hostname(),
      pid: process.pid,
      pools: [...self.pools],
      slots: self.slots,
      active_jobs: self.activeJobs(),
      paused: duty !== 'running',
      ...(duty === 'draining' ? { draining: true } : {}),
      ...(bandwidth === null ? {} : { bandwidth_bytes_per_second: bandwidth }),
      disk_free_bytes: await diskFree(self.workDir),
      started_at: started,
      time: new Date().toISOString(),
    };
    // A beat that NATS did not take is followed by the next one.
    await bus.buckets.workers.put(key, JSON.stringify(heartbeat)).catch(() => {});
  };
  await beat();
  const timer = setInterval(() => void beat(), BEAT_MS);
  let again: NodeJS.Timeout | undefined;
  let stopped = false;
  self.duty?.onChange(() => {
    if (stopped) return;
    void beat();
    clearTimeout(again);
    again = setTimeout(() => void beat(), SETTLED_MS);
  });
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      clearTimeout(again);
      await bus.buckets.workers.purge(key).catch(() => {});
    },
  };
}
