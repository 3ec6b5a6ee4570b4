import path from 'node:path';
import { JobError } from '@hyper2kvm/contracts';
import type { ConverterSettings } from './work.js';

/**
 * `<output>/<YYYY-MM-DD>` of a job, by the day on which it was asked for (UTC).
 * @throws JobError BAD_REQUEST for a folder outside of the allowed roots
 */
export function dateFolder(
  settings: Pick<ConverterSettings, 'outputDir' | 'allowedOutputRoots'>,
  wanted: string | undefined,
  requestedAt: string,
): string {
  const date = new Date(requestedAt).toISOString().slice(0, 10);
  const folder = path.resolve(wanted ?? settings.outputDir);
  const roots = [settings.outputDir, ...settings.allowedOutputRoots].map((root) => path.resolve(root));
  if (!roots.some((root) => folder === root || folder.startsWith(`${root}/`))) {
    throw new JobError(
      'BAD_REQUEST',
      `output_dir ${folder} is not below one of this converter's folders: ${roots.join(', ')}`,
    );
  }
  return path.join(folder, date);
}
