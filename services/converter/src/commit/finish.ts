import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { EPOCH_FOLDER, removeEpoch } from '../overlay/index.js';
import { domainXml, NVRAM_FILE } from '../targets/libvirt/index.js';
import type { WorkPort } from '../work.js';
import { exists, moveDurably, syncPath, writeDurably } from './files.js';
import { hashImage } from './hash.js';
import { placeImage } from './images.js';
import type { Manifest } from './manifest.js';
import type { CommitMarker } from './marker.js';
import { bytesOnDisk } from './outputs.js';
import { reportMarkdown } from './report.js';
import { choosePlace, findOutput, partialFolder } from './place.js';

/** A VM of the same name may take the place between the look and the rename; then the second place is chosen. */
const RENAME_TRIES = 3;
const IMAGE_MODE = 0o640;

/**
 * Commits the overlays, puts the output together aside and gives it its place by one rename. Whatever was done before a
 * kill is found done, so that repeating it ends with the same single output; only the hashes are taken again.
 * @param progress is told the part (0 to 1) of the images that is committed and hashed
 */
export async function finish(
  jobDir: string,
  marker: CommitMarker,
  work: WorkPort,
  progress: (part: number) => void = () => {},
): Promise<Manifest> {
  const { date_dir: dateDir, vm_name: vmName, job_id: jobId } = marker;
  const done = await findOutput(dateDir, vmName, jobId);
  if (done !== undefined) return done;
  const partial = partialFolder(dateDir, vmName, jobId);
  await mkdir(path.join(partial, 'evidence'), { recursive: true });
  await letThrough(dateDir, partial);
  const results: Result[] = [];
  const totalBytes = marker.images.reduce((sum, image) => sum + image.capacity_bytes, 0);
  let doneBytes = 0;
  for (const image of marker.images) {
    await placeImage(image, partial, marker.keep_artifact, work);
    work.log('info', `Committed: ${image.output}`, { step: 'commit' });
    // Right away, while what was written is in the page cache.
    const segments = await hashImage(image, jobDir, partial, work, (bytes) =>
      progress((doneBytes + bytes) / Math.max(1, totalBytes)),
    );
    const file = path.join(partial, image.output);
    await chmod(file, IMAGE_MODE);
    results.push({ segments, bytes_on_disk: await bytesOnDisk(file) });
    doneBytes += image.capacity_bytes;
  }
  await placeEvidence(jobDir, marker, partial);
  const manifest = await promote(marker, results, partial, work);
  work.log('info', `Output: ${manifest.output_dir}`, { step: 'commit' });
  return manifest;
}

interface Result {
  readonly segments: (string | null)[];
  readonly bytes_on_disk: number;
}

/**
 * libvirt gives a domain's images to QEMU's user when it starts, but opens no folder for it. Nobody else has to read what is
 * on a VM's disks.
 */
async function letThrough(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const { mode } = await stat(folder);
    // A folder of somebody else is theirs to open.
    await chmod(folder, (mode & 0o7777) | 0o111).catch(() => undefined);
  }
}

async function placeEvidence(jobDir: string, marker: CommitMarker, partial: string): Promise<void> {
  for (const name of marker.evidence) {
    const [from, to] = [path.join(jobDir, marker.epoch_folder, 'evidence', name), path.join(partial, 'evidence', name)];
    if (!(await exists(to))) await moveDurably(from, to);
  }
  const { firmware } = marker.domain;
  if (firmware.kind === 'efi') {
    const nvram = path.join(partial, NVRAM_FILE);
    await copyFile(firmware.vars_template, nvram);
    await chmod(nvram, IMAGE_MODE);
  }
  if (marker.evidence.length === 0) await rm(path.join(partial, 'evidence'), { recursive: true, force: true });
}

async function promote(
  marker: CommitMarker,
  results: readonly Result[],
  partial: string,
  work: WorkPort,
): Promise<Manifest> {
  const disks = marker.manifest.disks.map((disk, index) => ({ ...disk, ...results[index] }));
  for (let tries = 1; ; tries += 1) {
    const place = await choosePlace(marker.date_dir, marker.vm_name, marker.job_id);
    const manifest: Manifest = { ...marker.manifest, disks, output_dir: place };
    await writeDurably(path.join(partial, 'domain.xml'), domainXml(marker.domain, place));
    await writeDurably(path.join(partial, 'report.md'), reportMarkdown(manifest));
    await writeDurably(path.join(partial, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await work.assertOwner();
    try {
      await rename(partial, place);
      await syncPath(marker.date_dir);
      return manifest;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code) || tries === RENAME_TRIES) throw error;
    }
  }
}

/** Removes what the job needs no more, also what an earlier clearing left. The marker goes last, with its folder. */
export async function clearWork(jobDir: string, artifactDir: string, keepArtifact: boolean): Promise<void> {
  if (!keepArtifact) await rm(artifactDir, { recursive: true, force: true });
  for (const name of await readdir(jobDir).catch(() => [])) {
    if (EPOCH_FOLDER.test(name)) await removeEpoch(path.join(jobDir, name));
  }
  if (!keepArtifact || !isWithin(artifactDir, jobDir)) return rm(jobDir, { recursive: true, force: true });
  for (const name of ['evidence', 'commit.json']) await rm(path.join(jobDir, name), { recursive: true, force: true });
}

const isWithin = (inner: string, outer: string): boolean =>
  `${path.resolve(inner)}/`.startsWith(`${path.resolve(outer)}/`);
