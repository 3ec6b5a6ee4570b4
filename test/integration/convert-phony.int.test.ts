/**
 * Guests of distributions that cannot be booted here, as files on real file systems: after a conversion they are what was
 * written by hand, and nothing else of them has changed.
 */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConversionOptions, type Artifact } from '@hyper2kvm/contracts';
import { convert, type Converted } from '@hyper2kvm/converter';
import { buildPhony, phonyTree, readPhony, type Tree } from '../support/guest/phony/build.js';
import { CANARY, PHONY_GUESTS, type PhonyGuest } from '../support/guest/phony/guests.js';
import { workplace } from './convert-job.js';

let root: string;
const results = new Map<string, Converted>();
let before: Map<string, Tree>;
let after: Map<string, Tree>;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-phony-'));
  await writeFile(CANARY, 'SELINUX=enforcing\n');
  const built = path.join(root, 'built');
  await buildPhony(PHONY_GUESTS, built);
  const images = (guest: PhonyGuest): string[] =>
    guest.disks.map((_, index) => path.join(built, guest.name, `disk${index + 1}.qcow2`));
  await mkdir(path.join(root, 'before'));
  before = await readPhony(
    PHONY_GUESTS.map((guest) => ({ guest, disks: images(guest) })),
    path.join(root, 'before'),
  );
  for (const guest of PHONY_GUESTS) results.set(guest.name, await convertOne(guest, images(guest)));
  await mkdir(path.join(root, 'after'));
  after = await readPhony(
    PHONY_GUESTS.map((guest) => ({ guest, disks: results.get(guest.name)?.files ?? [] })),
    path.join(root, 'after'),
  );
}, 900_000);

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
  await rm(CANARY, { force: true });
});

async function convertOne(guest: PhonyGuest, images: readonly string[]): Promise<Converted> {
  const place = workplace(path.join(root, 'jobs', guest.name));
  const jobId = `job-phony${guest.name}`;
  await mkdir(place.artifactDir, { recursive: true });
  const requestedAt = '2026-01-17T10:00:00Z';
  const disks = guest.disks.map((capacity, index) => ({
    index: index + 1,
    name: `disk${index + 1}.vmdk`,
    capacity_bytes: capacity,
  }));
  const artifact: Artifact = {
    version: 1,
    job_id: jobId,
    attempt: 1,
    machine: { ...guest.machine, disks },
    disks: disks.map((disk) => ({
      ...disk,
      file: `disk${disk.index}.qcow2`,
      format: 'qcow2',
      bytes_downloaded: 1,
      segments: [null],
      verified: true,
    })),
    created_at: requestedAt,
  };
  for (const [index, image] of images.entries())
    await rename(image, path.join(place.artifactDir, `disk${index + 1}.qcow2`));
  await writeFile(path.join(place.artifactDir, 'artifact.json'), JSON.stringify(artifact));
  const request = {
    vm_name: guest.machine.name,
    artifact_dir: place.artifactDir,
    options: ConversionOptions.parse({}),
    requested_at: requestedAt,
  };
  return convert(request, place.settings, {
    jobId,
    attempt: 1,
    epoch: 1,
    signal: new AbortController().signal,
    assertOwner: async () => {},
    progress: () => {},
    log: () => {},
  });
}

/** The first line names the root; of the 100,000 after it none is touched. */
const rootByUuid = (fstab: string): string => {
  expect(fstab.split('\n').length).toBeGreaterThan(100_000);
  return fstab.replace('/dev/sda1 /', 'UUID=c4d5e6f7-0819-4a2b-8c3d-4e5f60718201 /');
};

describe.each(PHONY_GUESTS.map((guest) => [guest.name, guest] as const))('%s', (name, guest) => {
  it('has the files that were written by hand, and all others as they were', async () => {
    const expected = new Map([...(before.get(name) ?? [])].filter(([file]) => !guest.removed.includes(file)));
    for (const [file, content] of await phonyTree(guest, 'after')) expected.set(file, content);
    if (name === 'hostile') expected.set('/etc/fstab', rootByUuid(expected.get('/etc/fstab') ?? ''));
    expect(Object.fromEntries(after.get(name) ?? [])).toEqual(Object.fromEntries(expected));
  });

  it('what it was made from is what lies in the source tree', async () => {
    for (const [file, content] of await phonyTree(guest, 'before'))
      expect(before.get(name)?.get(file), file).toBe(content);
  });

  it('the report shows each change', async () => {
    const report = await readFile(path.join(results.get(name)?.output_dir ?? '', 'report.md'), 'utf8');
    for (const [file] of await phonyTree(guest, 'after'))
      expect(report).toContain(path.basename(file).replaceAll('_', '\\_'));
  });
});

it('a name and links that lead out of the guest lead nowhere', async () => {
  expect(await readFile(CANARY, 'utf8')).toBe('SELINUX=enforcing\n');
  const output = results.get('hostile')?.output_dir ?? '';
  const dated = path.join(root, 'jobs', 'hostile', 'output', '2026-01-17');
  expect(path.dirname(output)).toBe(dated);
  expect(path.basename(output)).toMatch(/^[^.\-/][^/]*$/);
  expect(Buffer.byteLength(path.basename(output))).toBeLessThan(200);
});
