/**
 * Memory of the exporter's service, its threads and children included, while it exports 2 GB that do not deflate on a disk of
 * 8 GB, asked over NATS as the gateway asks it.
 *
 *   npm run bench -- exporter-memory [--json FILE]
 *
 * Ends with 1 when the sum of the peaks (VmHWM) of all processes alive at one time reaches 300 MB.
 */
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { randomFillSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { startExportBench } from '../integration/export-process.js';
import { startVcsim } from '../support/vcsim.js';
import { family, watchMemory } from './processes.js';

const MIB = 2 ** 20;
const CAPACITY = 8192 * MIB;
const DATA_MIB = 2048;
const LIMIT = 300e6;

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

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
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
    const image = path.join(outcome.completed.artifact_dir, 'disk1.qcow2');
    await execa('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', image, disk.raw]);
    const written = (await stat(image)).blocks * 512;

    const { self = 0, ...children } = peak.commands;
    const lines = [
      `stream ${mb(size)}, image ${mb(written)}, identical in content (qemu-img compare)`,
      `peak of all processes at one time: ${mb(peak.total)} (limit ${mb(LIMIT)})`,
      `  exporter ${mb(self)} (idle ${mb(idle)}); children: ${Object.entries(children)
        .map(([name, hwm]) => `${name} ${mb(hwm)}`)
        .join(', ')}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    if (values.json !== undefined)
      await writeFile(values.json, JSON.stringify({ peak_bytes: peak.total, exporter_bytes: self }));
    if (peak.total >= LIMIT) process.exitCode = 1;
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

await main();
