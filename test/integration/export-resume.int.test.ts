/** Exports that were stopped in their midst and begin again, with the source or our files changed meanwhile. */
import { copyFile, open, readFile, truncate, utimes } from 'node:fs/promises';
import path from 'node:path';
import { exportVm, type Exported, type ExportRequest, type ExportSettings } from '@hyper2kvm/exporter';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MinimalSoap } from '../support/soap.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';
import {
  bytesServed,
  endpointOf,
  makeDisk,
  messagesOf,
  recordingPorts,
  removeFolder,
  sameContent,
  servedDisk,
  settingsFor,
  tempFolder,
  type Recorded,
  type TestDisk,
} from './export-setup.js';

const MIB = 2 ** 20;
let folder: string;
let vcsim: Vcsim;
let first: TestDisk;
let second: TestDisk;
let other: TestDisk;

beforeEach(async () => {
  folder = await tempFolder();
  first = await makeDisk(folder, 'first', 200 * MIB);
  second = await makeDisk(folder, 'second', 300 * MIB);
  // Of the same size. Times in HTTP are whole seconds, so it is given one that shows.
  other = await makeDisk(folder, 'other', 200 * MIB);
  const later = new Date(Date.now() + 60_000);
  await utimes(other.raw, later, later);
  vcsim = await startVcsim({ vms: [{ name: 'web', disks: [first, second].map(servedDisk) }] });
});

afterEach(async () => {
  await vcsim?.stop();
  await removeFolder(folder);
});

const requestOf = (epoch: number): ExportRequest => ({
  jobId: 'job-resume1',
  attempt: 1,
  epoch,
  vmName: 'web',
  endpoint: endpointOf(vcsim),
  options: { transport: 'datastore' },
});

/** A start that is stopped when `when` says so, as by the end of its process. */
async function startAndStop(
  when: (recorded: Recorded) => boolean,
  change: Partial<ExportSettings> = {},
): Promise<void> {
  const recorded = recordingPorts((at) => {
    if (when(at)) at.stop.abort(Object.assign(new Error('stopped'), { kind: 'shutdown' }));
  });
  await expect(
    exportVm(requestOf(1), settingsFor(folder, { maxDisksPerVm: 1, ...change }), recorded.ports),
  ).rejects.toThrow('stopped');
}

const firstIsDone = ({ progress }: Recorded): boolean => progress.at(-1)?.disks?.[0]?.state === 'done';

async function startAgain(): Promise<{ exported: Exported; recorded: Recorded }> {
  const recorded = recordingPorts();
  return { recorded, exported: await exportVm(requestOf(2), settingsFor(folder), recorded.ports) };
}

async function expectContent({ artifactDir }: Exported, disks: readonly TestDisk[]): Promise<void> {
  for (const [position, disk] of disks.entries())
    expect(await sameContent(path.join(artifactDir, `disk${position + 1}.qcow2`), disk.raw)).toBe(true);
}

const image = (): string => path.join(folder, 'job-resume1', 'disk1.qcow2');
const NOT_AGAIN = 'Disk 1: finished and verified by an earlier start, not fetched again';
const ANEW = expect.stringContaining('the export starts anew, 1 finished disk dropped') as unknown;

describe('an export that begins again', () => {
  test('does not fetch finished disks while their snapshot stands', async () => {
    await startAndStop(firstIsDone);
    const before = await bytesServed(vcsim, /web-flat\.vmdk$/);
    const { exported, recorded } = await startAgain();
    expect(await bytesServed(vcsim, /web-flat\.vmdk$/)).toBe(before);
    expect(messagesOf(recorded)).toContain(NOT_AGAIN);
    await expectContent(exported, [first, second]);
  });

  test('goes on within a disk, at its last flushed segment', async () => {
    await vcsim.change({ settings: { folder_bytes_per_second: 12_000_000 } });
    await startAndStop(({ progress }) => (progress.at(-1)?.disks?.[0]?.done_bytes ?? 0) > 130 * MIB);
    await vcsim.change({ settings: { folder_bytes_per_second: 0 } });
    const before = await bytesServed(vcsim, /web-flat\.vmdk$/);
    const { exported, recorded } = await startAgain();
    const again = (await bytesServed(vcsim, /web-flat\.vmdk$/)) - before;
    expect(again).toBeLessThanOrEqual(200 * MIB - 128 * MIB);
    expect(exported.artifact.disks[0]?.bytes_downloaded).toBeGreaterThanOrEqual(200 * MIB);
    expect(messagesOf(recorded)).toContainEqual(expect.stringContaining('were there from an earlier start'));
    await expectContent(exported, [first, second]);
  });

  test('mixes nothing when the file behind a finished disk was altered', async () => {
    await startAndStop(firstIsDone);
    await vcsim.change({ file: { path: 'web/web-flat.vmdk', with: other.raw } });
    const calls = (await vcsim.control()).calls.CreateSnapshot_Task ?? 0;
    const { exported, recorded } = await startAgain();
    expect(messagesOf(recorded)).toContainEqual(ANEW);
    expect(messagesOf(recorded)).not.toContain(NOT_AGAIN);
    await expectContent(exported, [other, second]);
    const state = await vcsim.control();
    expect(state.calls.CreateSnapshot_Task).toBe(calls + 1);
    expect(state.snapshots).toEqual([]);
  });

  test('mixes nothing when the file behind a half-fetched disk was altered', async () => {
    await vcsim.change({ settings: { folder_bytes_per_second: 12_000_000 } });
    await startAndStop(({ progress }) => (progress.at(-1)?.disks?.[0]?.done_bytes ?? 0) > 130 * MIB);
    await vcsim.change({
      settings: { folder_bytes_per_second: 0 },
      file: { path: 'web/web-flat.vmdk', with: other.raw },
    });
    const { exported } = await startAgain();
    await expectContent(exported, [other, second]);
  });

  test('starts anew when its snapshot is gone', async () => {
    await startAndStop(firstIsDone);
    const soap = new MinimalSoap(vcsim.url, vcsim.certificate);
    await soap.login(vcsim.username, vcsim.password);
    const ref = (await vcsim.control()).snapshots[0]?.ref ?? '';
    await soap.call(
      'RemoveSnapshot_Task',
      { type: 'VirtualMachineSnapshot', value: ref },
      '<removeChildren>false</removeChildren>',
    );
    const before = await bytesServed(vcsim, /web-flat\.vmdk$/);
    const { exported, recorded } = await startAgain();
    expect(messagesOf(recorded)).toContain(
      'The snapshot "hyper2kvm-job-resume1" of an earlier start is gone from vCenter',
    );
    expect(messagesOf(recorded)).toContainEqual(ANEW);
    expect((await bytesServed(vcsim, /web-flat\.vmdk$/)) - before).toBe(first.capacityBytes);
    await expectContent(exported, [first, second]);
  });

  test.each([
    { what: 'truncated', alter: async () => truncate(image(), 4096) },
    {
      what: 'written to',
      alter: async () => {
        const file = await open(image(), 'r+');
        await file.write(Buffer.from('!'), 0, 1, 900_000);
        await file.close();
      },
    },
    {
      what: 'replaced by a file of the same size',
      alter: async () => {
        await copyFile(image(), `${image()}.copy`);
        await copyFile(`${image()}.copy`, image());
        await utimes(image(), new Date(), new Date());
      },
    },
  ])('fetches a finished disk again that was $what, and only that', async ({ alter }) => {
    // One disk after another, and stopped at the very end.
    await startAndStop(({ progress }) => progress.at(-1)?.disks?.every(({ state }) => state === 'done') ?? false);
    await alter();
    const before = await bytesServed(vcsim);
    const { exported, recorded } = await startAgain();
    expect(messagesOf(recorded)).toContainEqual(expect.stringContaining('its finished image disk1.qcow2 was altered'));
    expect((await bytesServed(vcsim)) - before).toBe(first.capacityBytes);
    await expectContent(exported, [first, second]);
  });

  test('keeps what is finished for the next attempt where one follows, and cleans up where none does', async () => {
    const settings = settingsFor(folder, { maxDisksPerVm: 1 });
    await vcsim.change({ file: { path: 'web/web_1.vmdk', with: first.raw } });
    const request = { ...requestOf(1), options: { transport: 'nfc' as const } };
    const recorded = recordingPorts();
    await expect(exportVm({ ...request, keepForRetry: true }, settings, recorded.ports)).rejects.toMatchObject({
      code: 'EXPORT_CORRUPT',
    });
    expect((await vcsim.control()).snapshots).toHaveLength(1);
    const journal = JSON.parse(await readFile(path.join(folder, 'job-resume1', 'export.json'), 'utf8')) as {
      disks: unknown[];
    };
    expect(journal.disks).toHaveLength(1);

    await vcsim.change({ file: { path: 'web/web_1.vmdk', with: second.vmdk } });
    const again = recordingPorts();
    const exported = await exportVm({ ...request, attempt: 2, epoch: 1 }, settings, again.ports);
    expect(messagesOf(again)).toContain(NOT_AGAIN);
    await expectContent(exported, [first, second]);
    expect((await vcsim.control()).snapshots).toEqual([]);
  });
});
