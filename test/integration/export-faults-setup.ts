/** What the tests of broken ways share: a VM behind a proxy that breaks it, and what has to hold afterwards. */
import { randomFillSync } from 'node:crypto';
import { access, mkdir, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { JobError, type ErrorCode, type TransportChoice } from '@hyper2kvm/contracts';
import { exportVm, type Endpoint, type ExportSettings } from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { expect } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/faults/index.js';
import { expectNoProcesses } from '../support/processes.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import {
  endpointOf,
  recordingPorts,
  removeFolder,
  sameContent,
  settingsFor,
  tempFolder,
  type Recorded,
  type TestDisk,
} from './export-setup.js';

const MIB = 2 ** 20;

export const NFC = /^\/nfc\//;
export const FOLDER = /^\/folder\//;

/** Random data that no stream makes small, across a segment's edge and at the end; the last grain is short. */
async function makeDisk(folder: string): Promise<TestDisk> {
  const capacityBytes = 72 * MIB + 512 * 7;
  const [raw, vmdk] = [path.join(folder, 'web.raw'), path.join(folder, 'web.vmdk')];
  const file = await open(raw, 'w');
  try {
    await file.truncate(capacityBytes);
    const text = Buffer.alloc(MIB, 'text that deflates well. ');
    await file.write(text, 0, text.length, 20 * MIB);
    for (const at of [0, 63 * MIB, capacityBytes - MIB - 100]) {
      const noise = randomFillSync(Buffer.alloc(MIB + 100));
      await file.write(noise, 0, noise.length, at);
    }
  } finally {
    await file.close();
  }
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk]);
  return { raw, vmdk, capacityBytes };
}

export interface Attempt {
  transport?: TransportChoice;
  settings?: Partial<ExportSettings>;
  endpoint?: Partial<Endpoint>;
  vmName?: string;
  recorded?: Recorded;
}

export interface FaultBench {
  readonly proxy: FaultProxy;
  readonly vcsim: Vcsim;
  readonly disk: TestDisk;
  /** Work folder of all jobs. */
  readonly folder: string;
  /** Ends right: the image is identical in content and nothing else is left. */
  succeeds(jobId: string, attempt?: Attempt): Promise<Recorded>;
  /** Ends with this code, in one line, and nothing is left. */
  fails(jobId: string, code: ErrorCode, attempt?: Attempt): Promise<JobError>;
  stop(): Promise<void>;
}

/** @param others more VMs beside `web`, which has one disk */
export async function startFaultBench(
  others: (folder: string) => Promise<Parameters<typeof startVcsim>[0]['vms']> = async () => [],
): Promise<FaultBench> {
  const top = await tempFolder();
  const folder = path.join(top, 'work');
  await mkdir(folder);
  const disk = await makeDisk(top);
  const web = { name: 'web', disks: [{ capacity_bytes: disk.capacityBytes, vmdk: disk.vmdk, flat: disk.raw }] };
  const vcsim = await startVcsim({ vms: [web, ...(await others(top))] });
  const proxy = await startFaultProxy(vcsim);

  const start = async (jobId: string, attempt: Attempt, recorded: Recorded) =>
    exportVm(
      {
        jobId,
        attempt: 1,
        epoch: 1,
        vmName: attempt.vmName ?? 'web',
        // As it was pinned by the user, whatever the proxy shows later.
        endpoint: endpointOf(vcsim, {
          server: proxy.host,
          trust: { fingerprints: [pinned], insecure: false },
          ...attempt.endpoint,
        }),
        options: { transport: attempt.transport ?? 'nfc' },
      },
      settingsFor(folder, attempt.settings),
      recorded.ports,
    );
  const pinned = proxy.thumbprint;

  /** No snapshot, no open lease, no process with a hand on the folder. */
  const nothingRuns = async (): Promise<void> => {
    const state = await vcsim.control();
    expect(state.snapshots).toEqual([]);
    expect(state.leases.filter((lease) => lease.state === 'ready')).toEqual([]);
    await expectNoProcesses(folder);
  };
  return {
    proxy,
    vcsim,
    disk,
    folder,
    succeeds: async (jobId, attempt = {}) => {
      const recorded = attempt.recorded ?? recordingPorts();
      const { artifactDir } = await start(jobId, attempt, recorded);
      expect(await sameContent(path.join(artifactDir, 'disk1.qcow2'), disk.raw)).toBe(true);
      expect((await readdir(artifactDir)).toSorted()).toEqual(['artifact.json', 'disk1.qcow2']);
      await nothingRuns();
      return recorded;
    },
    fails: async (jobId, code, attempt = {}) => {
      const recorded = attempt.recorded ?? recordingPorts();
      const error: unknown = await start(jobId, attempt, recorded).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`, { cause: error });
      expect([error.code, error.message]).toEqual([code, expect.stringMatching(/^[^\n]+$/)]);
      expect(error.toFailure().advice).not.toBe('');
      await expect(access(path.join(folder, jobId))).rejects.toThrow('ENOENT');
      await nothingRuns();
      return error;
    },
    stop: async () => {
      await proxy.stop();
      await vcsim.stop();
      await removeFolder(top);
    },
  };
}
