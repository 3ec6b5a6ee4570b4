/**
 * Exports of the same VMs from one simulated vCenter, side by side: ours by each transport, and what others do.
 *
 *   npm run bench -- export [--json FILE] [--mib 1024] [--rounds 3]
 *
 * --mib: allocated on each disk (a multiple of 64). Figures are medians of the rounds; every other round goes the ways backwards.
 *
 * wall      from the first word to vCenter (login, snapshot, lease) until all images are on the disk; peers' images are
 *           brought there by `sync -d`, ours are when the export ends. The exporter's own start does not count: it is a service.
 * CPU       user and system, of all processes of that way, children included; not the simulator's.
 * peak RSS  sum of VmHWM of the processes alive at one time, sampled every 50 ms.
 * written   page cache made dirty and direct writes, as the kernel counts them for these processes (write_bytes).
 *
 * Sources are read once before each run, so that all find them in the page cache; nothing else is dirty by then (sync).
 * Every image is compared with its source (qemu-img compare) in the first round. A goal that is missed is said, and is no error.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startVcsim } from '../support/vcsim.js';
import { makeBenchDisk, MIX, type BenchDisk } from './export/disks.js';
import type { Way } from './export/job.js';
import { goalsOf, median, ratiosOf, table, type Row } from './export/report.js';
import { runOnce, type Run } from './export/run.js';

/** Installed by `node scripts/setup.mjs --bench`. */
const GOVC = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'hyper2kvm', 'bin', 'govc');

interface Case {
  name: string;
  way: Way;
  disks: 1 | 3;
}

const both = (name: string, way: Way): Case[] => ([1, 3] as const).map((disks) => ({ name, way, disks }));

function cases(): Case[] {
  const ours = (['nfc', 'datastore'] as const).flatMap((transport) =>
    [false, true].flatMap((readBack) =>
      both(`ours, ${transport}${readBack ? ', read back' : ''}`, { kind: 'ours', transport, readBack }),
    ),
  );
  return [
    ...ours,
    ...both('curl, then qemu-img convert', { kind: 'curl', sideBySide: false }),
    { name: 'the same, disks side by side', way: { kind: 'curl', sideBySide: true }, disks: 3 },
    ...both('govc export.ovf, then qemu-img convert', { kind: 'govc', sideBySide: false }),
    { name: 'the same, conversions side by side', way: { kind: 'govc', sideBySide: true }, disks: 3 },
    { name: 'decoder: our thread, local file', way: { kind: 'decoder' }, disks: 1 },
    { name: 'decoder: qemu-img convert, local file', way: { kind: 'qemu-img' }, disks: 1 },
  ];
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      mib: { type: 'string', default: '1024' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const [mib, rounds] = [Number(values.mib), Number(values.rounds)];
  if (!(mib > 0 && mib % 64 === 0 && rounds >= 1)) throw new Error('--mib takes a multiple of 64, --rounds 1 or more');
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-bench-'));
  const stops: (() => Promise<void>)[] = [async () => rm(folder, { recursive: true, force: true })];
  try {
    say(`making 3 disks, ${mib} MiB allocated on each: ${MIX}`);
    const disks: BenchDisk[] = [];
    for (const name of ['one', 'two', 'three']) disks.push(await makeBenchDisk(folder, name, mib));
    const [first] = disks;
    if (first === undefined) return;
    say(`the first one's export stream has ${(first.streamBytes / 1e6).toFixed(0)} MB; ${cpus().length} cores`);
    const spec = disks.map(({ vmdk, raw, capacityBytes }) => ({ vmdk, flat: raw, capacity_bytes: capacityBytes }));
    const vcsim = await startVcsim({
      vms: [
        { name: 'bench1', disks: spec.slice(0, 1) },
        { name: 'bench3', disks: spec },
      ],
    });
    stops.push(async () => vcsim.stop());
    const { host, url, username, password, thumbprint } = vcsim;
    const vcenter = { host, url, username, password, thumbprint, certificateFile: path.join(folder, 'vcenter.pem') };
    await writeFile(vcenter.certificateFile, vcsim.certificate);

    const all = cases();
    const runs = new Map<Case, Run[]>(all.map((entry) => [entry, []]));
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`);
      for (const entry of round % 2 === 0 ? all : all.toReversed()) {
        const { way, disks: count } = entry;
        const job = { way, vmName: `bench${count}`, disks: disks.slice(0, count), vcenter, govc: GOVC };
        const run = await runOnce({ ...job, folder: path.join(folder, 'out') }, round === 0);
        runs.get(entry)?.push(run);
        say(`  ${entry.name}, ${count} disk${count === 1 ? '' : 's'}: ${run.wallSeconds.toFixed(2)} s`);
      }
    }
    const rows = all.map((entry) => rowOf(entry, disks, runs.get(entry) ?? []));
    const ratios = ratiosOf(rows);
    say(`\n${table(rows)}\n`);
    for (const [name, ratio] of Object.entries(ratios)) say(`${name}: ${ratio.toFixed(2)}`);
    say(`\n${goalsOf(rows, ratios).join('\n')}`);
    if (values.json !== undefined)
      await writeFile(values.json, `${JSON.stringify({ ratios, rows, mix: MIX, mib, rounds }, null, 2)}\n`);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

function rowOf(entry: Case, disks: readonly BenchDisk[], runs: readonly Run[]): Row {
  const middle = (value: (run: Run) => number): number => median(runs.map(value));
  return {
    ...entry,
    wallSeconds: middle((run) => run.wallSeconds),
    syncSeconds: middle((run) => run.syncSeconds),
    cpuSeconds: middle((run) => run.cpuSeconds),
    writtenBytes: middle((run) => run.writtenBytes),
    allocatedBytes: disks.slice(0, entry.disks).reduce((sum, disk) => sum + disk.allocatedBytes, 0),
    peakRssBytes: Math.max(...runs.map((run) => run.peakRssBytes)),
    walls: runs.map((run) => run.wallSeconds),
  };
}

await main();
