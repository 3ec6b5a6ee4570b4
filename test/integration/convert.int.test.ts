/**
 * One real conversion of the VMware-flavoured Debian, killed with SIGKILL twice on its way: after its first write to the
 * guest, and in the commit. Nothing may be left behind, and there must be exactly one right output in the end.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureGuest } from '../support/guest/guest.js';
import { verify } from '@hyper2kvm/converter';
import { worker } from './convert-marker.js';
import {
  CAPACITY,
  EXPORT_CONCERN,
  JOB_ID,
  MAC,
  putArtifact,
  SOURCE_CHECKSUM,
  startConversion,
  workplace,
  type RunningConversion,
  type Workplace,
} from './convert-job.js';

const LIMIT_MS = 900_000;

let root: string;
let place: Workplace;
let output: string;
const running: RunningConversion[] = [];

beforeAll(async () => {
  const guest = await ensureGuest();
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-convert-'));
  place = workplace(path.join(root, 'first'));
  output = path.join(place.settings.outputDir, '2026-01-17', 'production-db');
  const image = path.join(root, 'guest.qcow2');
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', guest.rawPath, image]);
  await putArtifact(place, image);
  await rm(image);
}, LIMIT_MS);

afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

function start(where: Workplace, epoch: number, options = {}): RunningConversion {
  const run = startConversion(where, epoch, options);
  running.push(run);
  return run;
}

async function kill(run: RunningConversion): Promise<void> {
  run.child.kill('SIGKILL');
  await run.exited;
}

/** Command lines of processes that name a folder, of any user. */
async function processesNaming(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    const cmdline = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '') : '';
    const environ = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '') : '';
    if (Number(pid) !== process.pid && (cmdline.includes(folder) || environ.includes(folder))) {
      found.push(cmdline.replaceAll('\0', ' '));
    }
  }
  return found;
}

async function eventuallyNone(folder: string): Promise<string[]> {
  for (let tries = 0; tries < 50; tries += 1) {
    if ((await processesNaming(folder)).length === 0) return [];
    await sleep(100);
  }
  return processesNaming(folder);
}

const checksum = (file: string): string => execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64);
const names = async (folder: string): Promise<string[]> => (await readdir(folder)).toSorted();

describe('a conversion that is killed', () => {
  let noted: string[] = [];

  it(
    'leaves no process after its first write to the guest, and the artifact as it was',
    async () => {
      const image = path.join(place.artifactDir, 'disk1.qcow2');
      const before = checksum(image);
      const run = start(place, 1);
      expect(await run.until((line) => line.message?.startsWith('fstab: /dev/sda1') ?? false)).toBeDefined();
      expect(await processesNaming(place.jobDir)).not.toEqual([]);
      await kill(run);
      expect(await eventuallyNone(place.jobDir)).toEqual([]);
      expect(checksum(image)).toBe(before);
      const note = path.join(place.jobDir, 'a1.e1', 'appliance', 'appliance.json');
      noted = JSON.parse(await readFile(note, 'utf8')) as string[];
      expect(noted.length).toBeGreaterThan(1);
    },
    LIMIT_MS,
  );
  it(
    'starts anew under the next owner, is proven, and survives a kill in the commit',
    async () => {
      const run = start(place, 2, { verify_boot: true });
      expect(await run.until((line) => line.step === 'fstab')).toBeDefined();
      expect(existsSync(path.join(place.jobDir, 'a1.e1'))).toBe(false);
      expect(noted.filter((left) => existsSync(left))).toEqual([]);
      // The first asks for the marker, the second comes right before qemu-img commit.
      await run.until(({ kind }) => kind === 'error' || run.lines.filter((line) => line.kind === 'owner').length === 2);
      await kill(run);
      expect(run.lines.filter(({ kind }) => kind === 'error')).toEqual([]);
      expect(await eventuallyNone(place.jobDir)).toEqual([]);
      expect(existsSync(path.join(place.jobDir, 'commit.json'))).toBe(true);
      expect(existsSync(output)).toBe(false);
    },
    LIMIT_MS,
  );

  it(
    'ends with one whole output, without converting again',
    async () => {
      // Another kill, between the commit of the disk and the rename that makes the output appear.
      const third = start(place, 3, { verify_boot: true });
      await third.until(({ message }) => message?.startsWith('Committed: ') ?? false);
      await kill(third);

      const fourth = start(place, 4, { verify_boot: true });
      const done = await fourth.until(({ kind }) => kind === 'result' || kind === 'error');
      expect(done).toMatchObject({ kind: 'result', result: { vm_name: 'production-db', output_dir: output } });
      for (const run of [third, fourth]) {
        expect(run.lines.filter(({ step }) => step === 'inspect')).toEqual([]);
      }
      expect(await names(path.dirname(output))).toEqual(['production-db']);
      expect(await names(output)).toEqual(['disk1.qcow2', 'domain.xml', 'evidence', 'manifest.json', 'report.md']);
      expect(await names(path.join(output, 'evidence'))).toEqual(['proof.json', 'screen.png', 'serial.log']);
      expect(existsSync(place.jobDir)).toBe(false);
      expect(existsSync(place.artifactDir)).toBe(false);

      // Asked once more, it gives the same answer from what lies there.
      const fifth = start(place, 5, { verify_boot: true });
      expect((await fifth.until(({ kind }) => kind === 'result'))?.result).toEqual(done?.result);
    },
    LIMIT_MS,
  );

  it('is what the manifest says: proven, with the old NIC name, by UUID', async () => {
    const manifest = JSON.parse(await readFile(path.join(output, 'manifest.json'), 'utf8')) as {
      disks: { transport: string; source_checksums: string[] }[];
      proof: { booted: boolean; addresses: string[]; hostname: string };
      modifications: object;
      concerns: { message: string }[];
      guest: { product: string };
    };
    expect(manifest.proof).toMatchObject({ booted: true, hostname: 'production-db' });
    expect(manifest.proof.addresses).toContain('ens192 10.0.2.15/24');
    expect(manifest.modifications).toEqual({ virtio_drivers: true, bootloader_updated: true, network_fixed: true });
    expect(manifest.guest.product).toBe('Debian GNU/Linux 12 (bookworm)');
    expect(manifest.disks).toMatchObject([{ transport: 'file', source_checksums: [SOURCE_CHECKSUM] }]);
    const concerns = [EXPORT_CONCERN, 'export: disk1.qcow2 was not read back and compared after it was written'];
    expect(manifest.concerns.map(({ message }) => message)).toEqual(expect.arrayContaining(concerns));
    const report = await readFile(path.join(output, 'report.md'), 'utf8');
    for (const concern of concerns) expect(report).toContain(concern);
    const png = await readFile(path.join(output, 'evidence', 'screen.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    execFileSync('qemu-img', ['check', '-q', '-f', 'qcow2', path.join(output, 'disk1.qcow2')]);
    execFileSync('virt-xml-validate', [path.join(output, 'domain.xml'), 'domain']);
    const xml = await readFile(path.join(output, 'domain.xml'), 'utf8');
    expect(xml).toContain(`<source file='${output}/disk1.qcow2'/>`);
    expect(xml).toContain(`<mac address='${MAC}'/>`);
    expect(xml).toContain("<tpm model='tpm-crb'>");
    // libvirt's QEMU passes through to the images by name.
    expect((await stat(output)).mode & 0o001).toBe(0o001);
    expect(await rootCommandLine(path.join(output, 'disk1.qcow2'))).toMatch(/root=UUID=[0-9a-f-]{36}/);
  });
});

it(
  'is verified later, and one byte that was changed is found',
  async () => {
    const image = path.join(output, 'disk1.qcow2');
    const work = { ...worker(), jobId: JOB_ID };
    const segments = CAPACITY / (64 * 1024 ** 2);
    expect(await verify(output, place.settings, work)).toMatchObject({
      identical: true,
      files: [{ file: image, segments, first_difference: null }],
    });
    const io = (command: string): string =>
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', command, image], { encoding: 'utf8' });
    // In the gap between the partition table and the first partition.
    const at = 64 * 1024 + 7;
    const was = Number.parseInt(/^[0-9a-f]+: {2}([0-9a-f]{2})/m.exec(io(`read -v ${at} 1`))?.[1] ?? '', 16);
    io(`write -P ${was ^ 1} ${at} 1`);
    expect(await verify(output, place.settings, work)).toMatchObject({
      identical: false,
      files: [{ file: image, first_difference: 1 }],
    });
  },
  LIMIT_MS,
);

/** The first kernel line of the image's grub.cfg, and a proof that the reporter never reached the result. */
async function rootCommandLine(image: string): Promise<string> {
  const files = ['cat', '/boot/grub/grub.cfg', ':', 'exists', '/etc/hyper2kvm-proof.sh'];
  const env = { ...process.env, LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' };
  const text = execFileSync('guestfish', ['--ro', '--format=qcow2', '-a', image, '-m', '/dev/sda1', '--', ...files], {
    encoding: 'utf8',
    env,
  });
  expect(text.trim().split('\n').at(-1)).toBe('false');
  return text.split('\n').find((line) => /^\s*linux\s/.test(line)) ?? '';
}
