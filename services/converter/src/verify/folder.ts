import { realpath } from 'node:fs/promises';
import { JobError } from '@hyper2kvm/contracts';
import type { ConverterSettings } from '../work.js';

/**
 * The folder as the file system knows it, links followed: nothing outside of the converter's own folders is read.
 * @throws JobError PATH_DENIED, ARTIFACT_MISSING when it is not there
 */
export async function allowedFolder(
  wanted: string,
  settings: Pick<ConverterSettings, 'workDir' | 'outputDir' | 'allowedOutputRoots'>,
): Promise<string> {
  const roots = [settings.workDir, settings.outputDir, ...settings.allowedOutputRoots];
  const folder = await real(wanted);
  const realRoots = await Promise.all(roots.map(real));
  if (folder !== undefined && realRoots.some((root) => root !== undefined && isBelow(folder, root))) return folder;
  // Of what lies elsewhere not even the existence is told.
  if (folder === undefined && roots.some((root) => isBelow(wanted, root)))
    throw new JobError('ARTIFACT_MISSING', `${wanted} is not there`);
  throw new JobError(
    'PATH_DENIED',
    `${wanted} is not below one of this converter's folders: ${[...new Set(roots)].join(', ')}`,
  );
}

const isBelow = (folder: string, root: string): boolean =>
  `${folder}/`.startsWith(`${root.replace(/\/+$/, '')}/`) && !folder.split('/').includes('..');

const real = async (folder: string): Promise<string | undefined> => realpath(folder).catch(() => undefined);
