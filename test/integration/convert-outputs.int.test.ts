/** What is written in the end: other formats, compressed, thin, and open for the user that QEMU runs as under libvirt. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkOutputSpace, clearWork, finish, verify, type CommitMarker } from '@hyper2kvm/converter';
import { prepare, qemuIo, worker, type Place } from './convert-marker.js';
import { workplace } from './convert-job.js';

const MIB = 1024 ** 2;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-outputs-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

type Image = CommitMarker['images'][number];

/** A place whose images are asked for in another way, as `prepareCommit` would write it down. */
async function asked(name: string, wanted: Partial<Image>, size?: number): Promise<Place> {
  const place = await prepare(root, name, {}, size === undefined ? {} : { size });
  const format = wanted.output_format ?? 'qcow2';
  const file = (index: number): string => `disk${index + 1}.${format}`;
  const { marker } = place;
  marker.images = marker.images.map((image, index) => ({ ...image, ...wanted, output: file(index) }));
  marker.domain.disks = marker.domain.disks.map((disk, index) => ({ ...disk, file: file(index), format }));
  marker.manifest.disks = marker.manifest.disks.map((disk, index) => ({ ...disk, file: file(index), format }));
  return place;
}

const info = (file: string, format: string): Record<string, unknown> =>
  JSON.parse(execFileSync('qemu-img', ['info', '--output=json', '-f', format, file], { encoding: 'utf8' })) as Record<
    string,
    unknown
  >;

test.each([
  ['raw', { output_format: 'raw' as const }, 'raw'],
  ['compressed', { compress: 'zstd' as const }, 'qcow2'],
])('%s images are new ones; stopped anywhere, the whole output comes all the same', async (name, wanted, format) => {
  for (const stopsAt of [1, 2, 3]) {
    const place = await asked(`${name}-${stopsAt}`, wanted);
    const base = await readFile(path.join(place.artifactDir, 'disk1.qcow2'));
    await expect(finish(place.jobDir, place.marker, worker(stopsAt))).rejects.toThrow('stopped here');
    expect((await readFile(path.join(place.artifactDir, 'disk1.qcow2'))).equals(base)).toBe(true);
    const manifest = await finish(place.jobDir, place.marker, worker());
    const disks = [1, 2].map((index) => `disk${index}.${format}`);
    expect((await readdir(manifest.output_dir)).toSorted()).toEqual(
      [...disks, 'domain.xml', 'evidence', 'manifest.json', 'report.md'].toSorted(),
    );
    for (const disk of disks) {
      const file = path.join(manifest.output_dir, disk);
      if (format === 'raw') {
        const bytes = await readFile(file);
        expect([bytes[0], bytes[MIB], bytes[2 * MIB], bytes.length]).toEqual([0x11, 0x22, 0x11, 4 * MIB]);
      } else {
        expect(info(file, format)).toMatchObject({ 'format-specific': { data: { 'compression-type': 'zstd' } } });
        expect((await stat(file)).blocks * 512).toBeLessThan(2 * MIB);
        expect(qemuIo(file, 'read -P 0x11 0 1M', 'read -P 0x22 1M 1M')).not.toContain('failed');
      }
      expect(info(file, format)).not.toHaveProperty('backing-filename');
    }
    const domain = await readFile(path.join(manifest.output_dir, 'domain.xml'), 'utf8');
    expect(domain).toContain(`type='${format}'`);
    const settings = { ...workplace(root).settings, outputDir: place.dateDir };
    expect(await verify(manifest.output_dir, settings, worker())).toMatchObject({ identical: true });
    await clearWork(place.jobDir, place.artifactDir, false);
  }
});

test('what the guest freed is freed in the committed image too', async () => {
  const place = await prepare(root, 'thin', {}, { size: 32 * MIB });
  const [image] = place.marker.images;
  execFileSync('qemu-io', ['-d', 'unmap', '-f', 'qcow2', '-c', 'discard 8M 24M', image?.overlay ?? '']);
  place.marker.manifest.disks = place.marker.manifest.disks.map((disk) => ({ ...disk, exported_bytes_on_disk: 33e6 }));
  const manifest = await finish(place.jobDir, place.marker, worker());
  const [first, second] = manifest.disks;
  expect(first?.exported_bytes_on_disk).toBe(33e6);
  expect(first?.bytes_on_disk).toBe((await stat(path.join(manifest.output_dir, 'disk1.qcow2'))).blocks * 512);
  expect(first?.bytes_on_disk).toBeLessThan(10 * MIB);
  expect(second?.bytes_on_disk).toBeGreaterThan(31 * MIB);
  expect(await readFile(path.join(manifest.output_dir, 'report.md'), 'utf8')).toMatch(
    /disk1\.qcow2 \| .* \| 31 MiB \|/,
  );
});

const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

test('folders let others pass, images are not for everybody', async () => {
  const place = await prepare(root, 'modes');
  await mkdir(place.dateDir, { recursive: true });
  await chmod(place.dateDir, 0o700);
  const { output_dir: output } = await finish(place.jobDir, place.marker, worker());
  expect((await mode(place.dateDir)) & 0o111).toBe(0o111);
  expect((await mode(output)) & 0o111).toBe(0o111);
  expect(await mode(path.join(output, 'disk1.qcow2'))).toBe(0o640);
});

test('room is asked for only where images are written anew', async () => {
  const place = await prepare(root, 'room');
  const images = [{ file: place.marker.images[0]?.base ?? '', format: 'qcow2' as const }];
  await checkOutputSpace(root, images, {}, false);
  await checkOutputSpace(root, images, { output_format: 'raw' }, false);
  await expect(checkOutputSpace(root, images, { output_format: 'raw', compress: 'zstd' }, false)).rejects.toMatchObject(
    {
      code: 'BAD_REQUEST',
    },
  );
});
