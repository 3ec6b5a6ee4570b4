/**
 * Memory of the exporter, its threads and children included, while it exports 2 GB that do not deflate on a disk of 8 GB,
 * and its time beside the two steps that others take: download to a file, then qemu-img convert.
 *
 *   node test/dist/bench/exporter-memory.bench.js [--json FILE]
 *
 * Ends with 1 when the sum of the peaks (VmHWM) of all processes alive at one time reaches 300 MB.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { randomFillSync } from 'node:crypto';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { IncomingMessage } from 'node:http';
import {
  completeLease,
  createSnapshot,
  describe,
  removeSnapshot,
  requestLease,
  VimSession,
  waitUntilReady,
} from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { startExportBench } from '../integration/export-process.js';
import { startVcsim, type Vcsim } from '../support/vcsim.js';

const MIB = 2 ** 20;
const CAPACITY = 8192 * MIB;
const DATA_MIB = 2048;
const LIMIT = 300e6;
const SAMPLE_MS = 50;

interface Peak {
  /** Sum of VmHWM of all processes alive at one time, bytes. */
  total: number;
  exporter: number;
  /** The largest of each command. */
  children: Record<string, number>;
}

/** Data in 16 stretches over the whole disk, random, so that it does not deflate. */
async function makeDisk(folder: string): Promise<{ raw: string; vmdk: string }> {
  const [raw, vmdk] = [path.join(folder, 'disk.raw'), path.join(folder, 'disk.vmdk')];
  const file = await open(raw, 'w');
  await file.truncate(CAPACITY);
  const piece = Buffer.alloc(MIB);
  for (let stretch = 0; stretch < 16; stretch++)
    for (let i = 0; i < DATA_MIB / 16; i++)
      await file.write(randomFillSync(piece), 0, MIB, stretch * (CAPACITY / 16) + i * MIB);
  await file.close();
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, vmdk]);
  return { raw, vmdk };
}

/** Samples until stopped. VmHWM only grows, so a sample misses nothing but processes shorter than the interval. */
function watchMemory(pid: number): { stop(): Promise<Peak> } {
  const peak: Peak = { total: 0, exporter: 0, children: {} };
  const over = new AbortController();
  const done = (async () => {
    while (!over.signal.aborted) {
      const alive = await family(pid);
      let total = 0;
      for (const { id, name, hwm } of alive) {
        total += hwm;
        if (id === pid) peak.exporter = Math.max(peak.exporter, hwm);
        else peak.children[name] = Math.max(peak.children[name] ?? 0, hwm);
      }
      peak.total = Math.max(peak.total, total);
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await done;
      return peak;
    },
  };
}

/** The process and all its descendants. */
async function family(root: number): Promise<{ id: number; name: string; hwm: number }[]> {
  const all = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
        const field = (key: string): string => new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '0';
        return {
          id: Number(name),
          parent: Number(field('PPid')),
          name: field('Name'),
          hwm: Number(field('VmHWM')) * 1024,
        };
      }),
  );
  const members = new Set([root]);
  // Parents have smaller ids than children except after a wrap-around: two rounds are enough in practice.
  for (let round = 0; round < 4; round++)
    for (const process of all) if (members.has(process.parent)) members.add(process.id);
  return all.filter(({ id }) => members.has(id));
}

/** What others do: the stream into a file, then a conversion. Milliseconds. */
async function twoSteps(vcsim: Vcsim, folder: string): Promise<number> {
  const session = await VimSession.login({
    server: vcsim.host,
    username: vcsim.username,
    password: vcsim.password,
    trust: { fingerprints: [vcsim.thumbprint], insecure: false },
  });
  const { vm } = await describe(session, { vmName: 'big' });
  const [vmdk, qcow2] = [path.join(folder, 'peer.vmdk'), path.join(folder, 'peer.qcow2')];
  const from = performance.now();
  const snapshot = await createSnapshot(session, vm, { name: 'peer', description: '', quiesce: false });
  const lease = await waitUntilReady(session, await requestLease(session, snapshot));
  const url = lease.disks[0]?.url ?? '';
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { ca: vcsim.certificate, agent: false }, resolve).on('error', reject);
  });
  await pipeline(response, createWriteStream(vmdk));
  await completeLease(session, lease.ref);
  await removeSnapshot(session, snapshot);
  await execa('qemu-img', ['convert', '-f', 'vmdk', '-O', 'qcow2', '-W', '-m', '8', vmdk, qcow2]);
  await execa('sync', ['-d', qcow2]);
  const ms = performance.now() - from;
  await session.close();
  await Promise.all([vmdk, qcow2].map(async (file) => rm(file)));
  return ms;
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-bench-'));
  const stops: (() => Promise<void>)[] = [async () => rm(folder, { recursive: true, force: true })];
  try {
    process.stdout.write(`making a disk of ${CAPACITY / 2 ** 30} GiB with ${DATA_MIB} MiB of random data\n`);
    const disk = await makeDisk(folder);
    const { size } = await stat(disk.vmdk);
    const vcsim = await startVcsim({ vms: [{ name: 'big', disks: [{ capacity_bytes: CAPACITY, vmdk: disk.vmdk }] }] });
    stops.push(async () => vcsim.stop());
    const bench = await startExportBench(folder);
    stops.push(async () => bench.stop());
    const exporter = await bench.start();
    const idle = (await family(exporter.pid))[0]?.hwm ?? 0;
    const memory = watchMemory(exporter.pid);
    await bench.request('job-memory1', 'big', vcsim);
    const outcome = await bench.outcome('job-memory1');
    const peak = await memory.stop();
    if (!('completed' in outcome)) throw new Error(outcome.failed.failure.message);
    const { completed } = outcome;
    const image = path.join(completed.artifact_dir, 'disk1.qcow2');
    await execa('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', image, disk.raw]);
    const written = (await stat(image)).blocks * 512;
    await rm(completed.artifact_dir, { recursive: true });
    const peerMs = await twoSteps(vcsim, folder);

    const ours = completed.duration_seconds;
    const children = Object.entries(peak.children).map(([name, hwm]) => `${name} ${mb(hwm)}`);
    const lines = [
      `stream ${mb(size)}, image ${mb(written)}, identical in content (qemu-img compare)`,
      `peak of all processes at one time: ${mb(peak.total)} (limit ${mb(LIMIT)})`,
      `  exporter ${mb(peak.exporter)} (idle ${mb(idle)}); children: ${children.join(', ')}`,
      `wall: ours, verified by reading back ${ours.toFixed(1)} s; download + qemu-img convert ${(peerMs / 1000).toFixed(1)} s; ratio ${(ours / (peerMs / 1000)).toFixed(2)}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    const at = process.argv.indexOf('--json');
    const file = process.argv[at + 1];
    if (at > 0 && file !== undefined)
      await writeFile(
        file,
        JSON.stringify({
          peak_bytes: peak.total,
          exporter_bytes: peak.exporter,
          seconds: ours,
          ratio_verified: ours / (peerMs / 1000),
        }),
      );
    if (peak.total >= LIMIT) process.exitCode = 1;
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

await main();
