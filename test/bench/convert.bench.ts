/**
 * Conversions of the same guest, ours and virt-v2v's, one after another on the same machine.
 *
 *   npm run bench -- convert [--json FILE] [--rounds 3]
 *
 * Guests: the VMware-flavoured Debian of the tests, whose initramfs has to get the drivers (`rebuild`), and the same with the
 * drivers in it (`no rebuild`). Figures are medians of the rounds; every other round goes the ways backwards.
 *
 * wall      from the exported qcow2 to the converted one on the disk: all of `convert()`, without a boot proof and without
 *           the service's start; `virt-v2v -i disk … -o local -of qcow2` with a sync of its image.
 * CPU       user and system, of all processes of that way, the appliance's included.
 * written   page cache made dirty and direct writes, as the kernel counts them for these processes (write_bytes).
 * boots     started on virtio alone after the timed part, once for each row: a login prompt.
 * network   the same: the NIC has its old name and an address.
 *
 * As root, which building the guest needs too. A goal that is missed is said, and is no error.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MAC } from '../integration/convert-job.js';
import { bootImage } from '../support/boot.js';
import { kvmWorks } from '../support/kvm.js';
import { benchGuests, type BenchGuest } from './convert/guests.js';
import type { Way } from './convert/job.js';
import { goalsOf, ratiosOf, rowOf, stepsTable, table, type Booted } from './convert/report.js';
import { runOnce, type Run } from './convert/run.js';

const BOOT_LIMIT_MS = 300_000;
/** The guest's NIC on VMware, in slot 192; it asks DHCP for its address. */
const NIC_NAME = 'ens192';

interface Case {
  guest: BenchGuest;
  way: Way;
  runs: Run[];
  booted: Booted;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function boot(output: string): Promise<Booted> {
  const { booted, log } = await bootImage({
    disks: [{ path: output, format: 'qcow2' }],
    devices: 'virtio',
    limitMs: BOOT_LIMIT_MS,
    until: /login:/,
    failOn: /\(initramfs\)|Kernel panic|emergency mode/,
    nic: { mac: MAC },
  });
  const network = new RegExp(`^${NIC_NAME}\\s+UP\\s+.*\\b10\\.0\\.2\\.15\\b`, 'm').test(log);
  return { boots: booted, network };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' }, rounds: { type: 'string', default: '3' } } });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1)) throw new Error('--rounds takes 1 or more');
  const folder = await mkdtemp(path.join(tmpdir(), 'h2k-bench-'));
  try {
    const kvm = await kvmWorks();
    say(`${cpus().length} cores, ${kvm ? 'KVM' : 'without KVM'}`);
    const guests = await benchGuests(folder, say);
    const cases: Case[] = guests.flatMap((guest) =>
      (['ours', 'virt-v2v'] as const).map((way) => ({
        guest,
        way,
        runs: [],
        booted: { boots: false, network: false },
      })),
    );
    const work = path.join(folder, 'work');
    for (let round = 0; round < rounds; round += 1) {
      say(`round ${round + 1} of ${rounds}`);
      for (const each of round % 2 === 0 ? cases : cases.toReversed()) {
        const { guest, way } = each;
        const run = await runOnce(way, guest.image, guest.capacityBytes, work);
        each.runs.push(run);
        if (round === 0) each.booted = await boot(run.output);
        const told = round === 0 ? `, ${each.booted.boots ? 'boots' : 'does not boot'}` : '';
        say(`  ${guest.kind}, ${way}: ${run.wallSeconds.toFixed(1)} s${told}`);
        await rm(work, { recursive: true, force: true });
      }
    }
    const rows = cases.map(({ guest, way, runs, booted }) => rowOf(guest.kind, way, runs, booted));
    const ratios = ratiosOf(rows);
    say(`\n${table(rows)}\n\n${stepsTable(rows)}\n\n${goalsOf(rows, ratios).join('\n')}`);
    if (values.json !== undefined)
      await writeFile(values.json, `${JSON.stringify({ ratios, rows, rounds, kvm }, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
