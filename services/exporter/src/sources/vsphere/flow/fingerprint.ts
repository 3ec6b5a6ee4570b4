import { createHash } from 'node:crypto';
import type { DiskBacking } from '../backings.js';
import { folderUrl, headFile, type RemoteFile } from '../datastore-files.js';
import { readProperties } from '../properties.js';
import { text } from '../values.js';
import { untilStopped, type FlowContext } from './context.js';
import type { Fingerprint, VsphereNotes } from './notes.js';

/** The files behind a snapshot's disks, by the number of the disk, as vCenter's web server shows them. */
export type Files = ReadonlyMap<number, RemoteFile>;

export async function lookAtFiles(context: FlowContext, backings: readonly DiskBacking[]): Promise<Files> {
  const files = new Map<number, RemoteFile>();
  await Promise.all(
    backings.map(async (backing) => {
      // A delta's or an object store's file has another name, or none.
      if (backing.ineligible !== undefined) return;
      const file = await headFile(context.session, urlOf(context, backing), untilStopped(context));
      if (file !== undefined) files.set(backing.index, file);
    }),
  );
  return files;
}

export const urlOf = ({ session }: FlowContext, backing: DiskBacking): URL =>
  folderUrl(session.endpoint, backing.datacenterPath, backing.datastore.name, backing.flatPath);

export function fingerprints(backings: readonly DiskBacking[], files: Files): Record<string, Fingerprint | null> {
  return Object.fromEntries(
    backings.map(({ index }) => {
      const file = files.get(index);
      if (file === undefined) return [String(index), null];
      return [
        String(index),
        {
          size: file.sizeBytes,
          ...(file.lastModified === undefined ? {} : { last_modified: file.lastModified }),
          ...(file.etag === undefined ? {} : { etag: file.etag }),
        },
      ];
    }),
  );
}

export async function readChangeVersion(context: FlowContext): Promise<string | undefined> {
  const { session, described } = context;
  const properties = await readProperties(session, described.vm, ['config.changeVersion'], untilStopped(context));
  return text(properties['config.changeVersion']);
}

/**
 * Why the source is not what an earlier start of this job noted when its snapshot was made, or undefined. A snapshot's files rest:
 * one that changed was written to behind vCenter's back, or the snapshot is of another VM that was given the same id.
 */
export function difference(
  noted: Pick<VsphereNotes, 'files' | 'change_version'>,
  files: Record<string, Fingerprint | null>,
  changeVersion: string | undefined,
): string | undefined {
  if (noted.files === undefined) return undefined;
  if (noted.change_version !== changeVersion) return 'the configuration of the VM was changed since';
  for (const index of new Set([...Object.keys(noted.files), ...Object.keys(files)])) {
    const before = noted.files[index] ?? null;
    const now = files[index] ?? null;
    if (before === null && now === null) continue;
    if (before === null || now === null)
      return `the file of disk ${index} can ${now === null ? 'not be looked at any more' : 'be looked at only now'}`;
    if (before.size !== now.size) return `the file of disk ${index} has ${now.size} bytes, and had ${before.size}`;
    if (before.etag !== now.etag || before.last_modified !== now.last_modified)
      return `the file of disk ${index} was written to since`;
  }
  return undefined;
}

/** One line for all that the content of a snapshot's disks depends on. */
export function bindingOf(
  vm: string,
  snapshot: string,
  changeVersion: string | undefined,
  files: Record<string, Fingerprint | null>,
): string {
  const facts = JSON.stringify([
    vm,
    snapshot,
    changeVersion ?? null,
    Object.entries(files).toSorted(([a], [b]) => Number(a) - Number(b)),
  ]);
  return `vsphere:${createHash('sha256').update(facts).digest('hex')}`;
}
