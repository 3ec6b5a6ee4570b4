import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import type { ConverterSettings } from '../work.js';

/**
 * The folder as the file system knows it, links followed. Besides the converter's own folders only the exported images of this
 * very job are read, which lie in a folder of its name, wherever the exporter's work folder is.
 * @throws JobError PATH_DENIED, ARTIFACT_MISSING when it is not there
 */
export async function allowedFolder(
  wanted: string,
  jobId: string,
  settings: Pick<ConverterSettings, 'workDir' | 'outputDir' | 'allowedOutputRoots'>,
): Promise<string> {
  const roots = [settings.workDir, settings.outputDir, ...settings.allowedOutputRoots];
  const folder = await real(wanted);
  const realRoots = await Promise.all(roots.map(real));
  if (folder !== undefined) {
    if (path.basename(folder) === jobId) return folder;
    if (realRoots.some((root) => root !== undefined && isBelow(folder, root))) return folder;
  }
  // Of what lies elsewhere not even the existence is told.
  if (folder === undefined && (path.basename(wanted) === jobId || roots.some((root) => isBelow(wanted, root))))
    throw new JobError('ARTIFACT_MISSING', `${wanted} is not there`);
  throw new JobError(
    'PATH_DENIED',
    `${wanted} is not below one of this converter's folders: ${[...new Set(roots)].join(', ')}`,
  );
}

const isBelow = (folder: string, root: string): boolean =>
  `${folder}/`.startsWith(`${root.replace(/\/+$/, '')}/`) && !folder.split('/').includes('..');

const real = async (folder: string): Promise<string | undefined> => realpath(folder).catch(() => undefined);
