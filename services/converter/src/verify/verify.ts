import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { JobError, jobFolder, type VerifiedFile, type VerifyCompleted } from '@hyper2kvm/contracts';
import { withLongSpan } from '@hyper2kvm/runtime';
import { checkImage } from '../artifact/index.js';
import { readMarker } from '../commit/index.js';
import { readImage } from '../content/index.js';
import type { ConverterSettings, WorkPort } from '../work.js';
import { firstChange } from './compare.js';
import { allowedFolder } from './folder.js';
import { readRecord, type RecordedImage } from './recorded.js';

export type Verified = Omit<VerifyCompleted, 'job_id' | 'attempt' | 'worker'>;

/**
 * Reads the images of a job again and compares them with what was recorded of them. Files that differ or cannot be read are a
 * result, not a failure.
 * @throws JobError PATH_DENIED, ARTIFACT_MISSING when nothing is recorded there, STATE_CONFLICT while a commit changes them
 */
export async function verify(wanted: string, settings: ConverterSettings, work: WorkPort): Promise<Verified> {
  const started = performance.now();
  const folder = await allowedFolder(wanted, work.jobId, settings);
  await refuseWhileCommitted(folder, settings, work.jobId);
  const images = await readRecord(folder, work.jobId);
  const scratch = path.join(settings.workDir, `verify-${work.jobId}`);
  await mkdir(scratch, { recursive: true });
  try {
    const totalBytes = images.reduce((sum, image) => sum + image.capacityBytes, 0);
    const files: VerifiedFile[] = [];
    let passedBytes = 0;
    for (const image of images) {
      const report = (doneBytes: number): void =>
        work.progress({
          phase: 'verify',
          percent_complete: Math.min(
            100,
            Math.round(((passedBytes + doneBytes) / Math.max(1, totalBytes)) * 1000) / 10,
          ),
        });
      report(0);
      const about = { 'job.id': work.jobId, 'file.name': image.name, 'disk.capacity_bytes': image.capacityBytes };
      const file = await withLongSpan('verify.file', about, () =>
        verifyImage(folder, image, scratch, work.signal, report),
      );
      work.log(file.first_difference === null && file.problem === undefined ? 'info' : 'warn', sentence(file, image));
      files.push(file);
      passedBytes += image.capacityBytes;
      report(0);
    }
    return {
      identical: files.every((file) => file.first_difference === null && file.problem === undefined),
      files,
      verified_at: new Date().toISOString(),
      duration_seconds: Math.round((performance.now() - started) / 100) / 10,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** From the marker on the exported images become the converted ones: they differ from both records. */
async function refuseWhileCommitted(folder: string, settings: ConverterSettings, jobId: string): Promise<void> {
  const marker = await readMarker(jobFolder(settings.workDir, jobId));
  if (marker !== undefined && path.resolve(marker.artifact_dir) === folder)
    throw new JobError('STATE_CONFLICT', `the conversion of ${jobId} is being committed: its images change now`);
}

async function verifyImage(
  folder: string,
  image: RecordedImage,
  scratch: string,
  signal: AbortSignal,
  progress: (doneBytes: number) => void,
): Promise<VerifiedFile> {
  const { name, format, capacityBytes } = image;
  const file = path.join(folder, path.basename(name));
  const result = { file, segments: image.segments.length };
  try {
    if (path.basename(name) !== name) throw new JobError('ARTIFACT_MISSING', `${name} is not a file beside its record`);
    await checkImage(file, { format, capacity_bytes: capacityBytes }, signal);
    const found = await readImage({ file, format, capacityBytes, folder: scratch, signal, progress });
    return { ...result, first_difference: firstChange(image.segments, found.segments, capacityBytes) ?? null };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof JobError)) throw error;
    return { ...result, first_difference: null, problem: problemOf(error) };
  }
}

/** QEMU's words for an image that is open for writing elsewhere are about its locks. */
const problemOf = ({ message }: JobError): string =>
  /Failed to get .*lock/.test(message) ? 'a program has it open for writing, such as a VM that runs' : message;

function sentence({ file, first_difference: difference, problem }: VerifiedFile, { segments }: RecordedImage): string {
  if (problem !== undefined) return `${file}: ${problem}`;
  if (difference === null) return `${file}: all ${segments.length} segments are as they were recorded`;
  return `${file}: segment ${difference} of ${segments.length} (64 MiB each) is the first that differs`;
}
