import { access } from 'node:fs/promises';
import { JobError } from '@hyper2kvm/contracts';
import { withLongSpan, withSpan } from '@hyper2kvm/runtime';
import { openSource } from '../sources/index.js';
import { JobFolder } from './job-folder.js';
import { Journal } from './journal.js';
import type { ExportPorts, ExportRequest } from './ports.js';
import type { ExportSettings } from './settings.js';

export interface CleanedUp {
  /** Names of the snapshots that were still there. */
  readonly removedSnapshots: string[];
  readonly removedFiles: boolean;
}

/**
 * Removes what an export left on its source and, if asked, in its folder, whether it left a journal or not. May be repeated.
 * @throws JobError CLEANUP_INCOMPLETE with what is left
 */
export async function cleanUpJob(
  request: ExportRequest & { readonly removeFiles: boolean },
  settings: ExportSettings,
  ports: Pick<ExportPorts, 'work' | 'children' | 'sessions' | 'diskSlots'>,
): Promise<CleanedUp> {
  const { work } = ports;
  const folder = new JobFolder(settings.workDir, request.jobId, request.attempt, request.epoch);
  const journal = await Journal.open(folder.journalFile, request.jobId);
  const source = openSource({ request, settings, ports, notes: unwritten(journal), percent: () => 0 });
  try {
    await work.assertOwner();
    const remains = await withLongSpan('cleanup.source', { 'job.id': request.jobId }, () =>
      source.cleanup({ thorough: true }),
    );
    const removedSnapshots = [...(remains?.removed ?? [])];
    if (remains?.left !== undefined) throw new JobError('CLEANUP_INCOMPLETE', remains.left);
    await work.assertOwner();
    await removeFiles(folder, journal, request.removeFiles);
    if (request.removeFiles) work.log('info', `Clean-up: ${folder.path} removed`);
    return { removedSnapshots, removedFiles: request.removeFiles };
  } finally {
    await source.close();
  }
}

/**
 * Removes the folder of an export that was cleared up on its source long ago, without asking that source again.
 * @returns false, with nothing done, where a journal says that something may be left there
 */
export async function removeJobFiles(
  request: Pick<ExportRequest, 'jobId' | 'attempt' | 'epoch'>,
  settings: Pick<ExportSettings, 'workDir'>,
  work: ExportPorts['work'],
): Promise<boolean> {
  const folder = new JobFolder(settings.workDir, request.jobId, request.attempt, request.epoch);
  const journal = await access(folder.journalFile).then(
    () => true,
    () => false,
  );
  if (journal) return false;
  await work.assertOwner();
  await removing(folder, () => folder.removeAll());
  work.log('info', `Clean-up: ${folder.path} removed`);
  return true;
}

const removeFiles = async (folder: JobFolder, journal: Journal, all: boolean): Promise<void> =>
  removing(folder, async () => (all ? folder.removeAll() : journal.remove()));

async function removing(folder: JobFolder, remove: () => Promise<void>): Promise<void> {
  try {
    await withSpan('cleanup.files', {}, remove);
  } catch (error) {
    throw new JobError('CLEANUP_INCOMPLETE', `${folder.path} could not be removed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** A folder that is not there is not made for a clean-up's notes. */
const unwritten = (journal: Journal): Journal['notes'] => ({ read: () => journal.notes.read(), write: async () => {} });
