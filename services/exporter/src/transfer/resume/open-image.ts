import { rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from '../../files/index.js';
import { Qcow2Writer } from '../../image/index.js';
import { unitBytesOf, type ContentStart } from '../content-tracker.js';
import type { RangesInput } from '../inputs/input.js';
import type { TransferTask } from '../messages.js';
import type { JournalHeader } from './journal-format.js';
import { JournalWriter } from './journal-writer.js';
import { takeOver } from './take-over.js';

/** An image to be written, from the start or from where an earlier transfer was cut. */
export interface OpenImage {
  readonly writer: Qcow2Writer;
  readonly journal?: JournalWriter;
  readonly start?: ContentStart;
  /** Everything below is in the image already. */
  readonly startAt: number;
}

/** Only an input that can be read from anywhere is continued; the others begin again. */
export async function openImage(task: TransferTask): Promise<OpenImage> {
  const { path: imagePath, capacityBytes, journal, input } = task;
  if (journal === undefined) return { writer: await Qcow2Writer.create(imagePath, capacityBytes), startAt: 0 };
  const header = input.kind === 'ranges' ? journalHeader(task, input, journal.binding) : undefined;
  const taken = header === undefined ? undefined : await takeOver(imagePath, journal.path, header);
  if (taken !== undefined) {
    const writer = await Qcow2Writer.reopen(imagePath, capacityBytes, taken.map);
    const flush = async (): Promise<void> => writer.flush();
    return {
      writer,
      journal: await JournalWriter.reopen(journal.path, taken.journalEnd, taken.journalCheck, flush),
      start: taken.start,
      startAt: taken.startAt,
    };
  }
  // The journal first, for good: it must never stand beside an image that it does not describe.
  await rm(journal.path, { force: true });
  await syncFolder(path.dirname(journal.path));
  await rm(imagePath, { force: true });
  const writer = await Qcow2Writer.create(imagePath, capacityBytes);
  if (header === undefined) return { writer, startAt: 0 };
  const flush = async (): Promise<void> => writer.flush();
  return { writer, journal: await JournalWriter.create(journal.path, header, flush), startAt: 0 };
}

function journalHeader(task: TransferTask, input: RangesInput, binding: string): JournalHeader {
  return {
    binding,
    sizeBytes: input.sizeBytes,
    ...(input.lastModified === undefined ? {} : { lastModified: input.lastModified }),
    ...(input.etag === undefined ? {} : { etag: input.etag }),
    capacityBytes: task.capacityBytes,
    segmentBytes: task.segmentBytes,
    unitBytes: unitBytesOf(task.segmentBytes),
  };
}
