import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import type { ConverterSettings } from './work.js';

type Roots = Pick<ConverterSettings, 'outputDir' | 'allowedOutputRoots'>;

/**
 * The folder below which a job's output goes, by what was asked for.
 * @throws JobError BAD_REQUEST for a folder outside of the allowed roots
 */
export function outputRoot(settings: Roots, wanted: string | undefined): string {
  const folder = path.resolve(wanted ?? settings.outputDir);
  const roots = rootsOf(settings).map((root) => path.resolve(root));
  if (roots.some((root) => isBelow(folder, root))) return folder;
  const message = `output_dir ${folder} is not below one of this converter's folders: ${roots.join(', ')}`;
  throw new JobError('BAD_REQUEST', message);
}

/** `<output>/<YYYY-MM-DD>` of a job, by the day on which it was asked for (UTC). @throws as outputRoot */
export function dateFolder(settings: Roots, wanted: string | undefined, requestedAt: string): string {
  return path.join(outputRoot(settings, wanted), new Date(requestedAt).toISOString().slice(0, 10));
}

/**
 * A folder of outputs as the file system knows it, links followed.
 * @throws JobError PATH_DENIED outside of the output folders, also where nothing is there: not even that is told
 */
export async function allowedOutput(wanted: string, settings: Roots): Promise<string> {
  const roots = rootsOf(settings);
  const folder = await realpath(wanted).catch(() => undefined);
  const realRoots = await Promise.all(roots.map(async (root) => realpath(root).catch(() => undefined)));
  if (folder !== undefined && realRoots.some((root) => root !== undefined && isBelow(folder, root))) return folder;
  if (folder === undefined && roots.some((root) => isBelow(path.resolve(wanted), root)))
    throw new JobError('ARTIFACT_MISSING', `${wanted} is not there`);
  const message = `${wanted} is not below one of this converter's output folders: ${roots.join(', ')}`;
  throw new JobError('PATH_DENIED', message);
}

const rootsOf = ({ outputDir, allowedOutputRoots }: Roots): string[] => [outputDir, ...allowedOutputRoots];

const isBelow = (folder: string, root: string): boolean =>
  folder === root || folder.startsWith(`${root.replace(/\/+$/, '')}/`);
