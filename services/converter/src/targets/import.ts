import path from 'node:path';
import { realpath } from 'node:fs/promises';
import { JobError, type ImportCompleted, type ImportRequested } from '@hyper2kvm/contracts';
import { checkImage } from '../artifact/index.js';
import { readOutput, type Manifest } from '../commit/index.js';
import { allowedOutput } from '../output-root.js';
import type { ConverterSettings, WorkPort } from '../work.js';
import { defineOutput } from './define.js';
import { replug, type DomainPlan } from './libvirt/index.js';
import { targetOf } from './target.js';

export type Imported = Omit<ImportCompleted, 'job_id' | 'attempt' | 'worker'>;

/**
 * Defines the domain of a finished output, wherever its folder lies by now.
 * @throws JobError PATH_DENIED, ARTIFACT_MISSING when the folder holds no output of this job, TARGET_UNSUITABLE,
 *   DOMAIN_EXISTS, LIBVIRT
 */
export async function importOutput(
  request: Pick<ImportRequested, 'folder' | 'target' | 'start'>,
  settings: ConverterSettings,
  work: WorkPort,
): Promise<Imported> {
  const target = targetOf(settings, request.target);
  const found = await allowedOutput(request.folder, settings);
  const manifest = await readOutput(found, work.jobId);
  for (const disk of manifest.disks) {
    if (path.basename(disk.file) !== disk.file)
      throw new JobError('ARTIFACT_MISSING', `${disk.file} is not a file beside its manifest`);
    await checkImage(path.join(found, disk.file), disk, work.signal);
  }
  await work.assertOwner();
  const folder = (await isSame(manifest.output_dir, found)) ? manifest.output_dir : found;
  const plan = planFor(manifest, target);
  const result = await defineOutput({ uri: target.uri, signal: work.signal }, plan, folder, request, work);
  return {
    libvirt_domain: result.name,
    libvirt_uri: target.uri,
    defined: result.defined,
    started: result.started,
    concerns: result.concerns.map(({ message }) => message),
  };
}

/** A folder that was reached through a link keeps the name by which it was defined. */
const isSame = async (folder: string, other: string): Promise<boolean> =>
  realpath(folder).then(
    (real) => real === other,
    () => false,
  );

/** The domain as planned; its NICs go where that libvirt has them, when it was made for another. */
export function planFor(
  { domain, disks, target: madeFor }: Pick<Manifest, 'domain' | 'disks' | 'target'>,
  target: Pick<ReturnType<typeof targetOf>, 'name' | 'network' | 'networkMap'>,
): DomainPlan {
  const files = disks.map(({ index, file, format }) => ({ index, file, format }));
  if (madeFor === target.name) return { ...domain, disks: files };
  const { network } = target;
  return { ...domain, disks: files, network, nics: replug(domain.nics, target.networkMap, network) };
}
