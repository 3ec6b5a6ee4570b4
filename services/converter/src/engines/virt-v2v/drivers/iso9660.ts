import { createWriteStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { JobError } from '@hyper2kvm/contracts';

/** A file on an ISO image; position and size in bytes. */
export interface IsoFile {
  readonly path: string;
  readonly position: number;
  readonly size: number;
}

const SECTOR_BYTES = 2048;
const FIRST_DESCRIPTOR = 16;
const MOST_FOLDERS = 10_000;
const MOST_FOLDER_BYTES = 16 * 1024 * 1024;

/** ECMA-119 volume descriptors; `joliet` is a supplementary one whose names are UTF-16. */
const PRIMARY = 1;
const SUPPLEMENTARY = 2;
const TERMINATOR = 255;
const JOLIET_ESCAPES = ['%/@', '%/C', '%/E'];

/**
 * All files of an ISO 9660 image, by Joliet names where it has them, as Windows reads it. So virtio-win.iso can be looked
 * into without mounting it (root) or an appliance (10 s).
 * @throws JobError DRIVERS_MISSING when it is no such image
 */
export async function listIso(handle: FileHandle, name: string): Promise<IsoFile[]> {
  const { root, joliet } = await volume(handle, name);
  const files: IsoFile[] = [];
  const seen = new Set<number>();
  const folders: { path: string; position: number; size: number }[] = [{ path: '', ...root }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (seen.has(folder.position)) continue;
    seen.add(folder.position);
    if (seen.size > MOST_FOLDERS || folder.size > MOST_FOLDER_BYTES) throw broken(name);
    for (const entry of entries(await read(handle, folder.position, folder.size, name), joliet)) {
      const path = folder.path === '' ? entry.name : `${folder.path}/${entry.name}`;
      const { position, size } = entry;
      (entry.folder ? folders : files).push({ path, position, size });
    }
  }
  return files;
}

/** Writes one file of the image to a file of the host. */
export async function extract(handle: FileHandle, { position, size }: IsoFile, to: string): Promise<void> {
  const output = createWriteStream(to);
  if (size === 0) {
    await new Promise<void>((resolve) => output.end(resolve));
    return;
  }
  const content = handle.createReadStream({ start: position, end: position + size - 1, autoClose: false });
  await pipeline(content, output);
}

async function volume(
  handle: FileHandle,
  name: string,
): Promise<{ root: { position: number; size: number }; joliet: boolean }> {
  let primary: Buffer | undefined;
  for (let sector = FIRST_DESCRIPTOR; sector < FIRST_DESCRIPTOR + 64; sector += 1) {
    const descriptor = await read(handle, sector * SECTOR_BYTES, SECTOR_BYTES, name);
    if (descriptor.toString('latin1', 1, 6) !== 'CD001') throw broken(name);
    const type = descriptor.readUInt8(0);
    if (type === PRIMARY) primary ??= descriptor;
    if (type === SUPPLEMENTARY && JOLIET_ESCAPES.includes(descriptor.toString('latin1', 88, 91))) {
      return { root: place(descriptor, 156), joliet: true };
    }
    if (type === TERMINATOR) break;
  }
  if (primary === undefined) throw broken(name);
  return { root: place(primary, 156), joliet: false };
}

/** Where a directory record says that its content lies. */
const place = (record: Buffer, at: number): { position: number; size: number } => ({
  position: record.readUInt32LE(at + 2) * SECTOR_BYTES,
  size: record.readUInt32LE(at + 10),
});

interface Entry {
  readonly name: string;
  readonly folder: boolean;
  readonly position: number;
  readonly size: number;
}

/** The records of a folder; none crosses a sector, the rest of which is zero then. */
function entries(data: Buffer, joliet: boolean): Entry[] {
  const found: Entry[] = [];
  for (let at = 0; at + 33 < data.length;) {
    const length = data.readUInt8(at);
    if (length === 0) {
      at = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES;
      continue;
    }
    const nameBytes = data.subarray(at + 33, at + 33 + data.readUInt8(at + 32));
    // The folder itself and its parent.
    const special = nameBytes.length === 1 && (nameBytes[0] === 0 || nameBytes[0] === 1);
    if (!special) {
      const name = decodeName(nameBytes, joliet);
      // One with a slash or dots alone would lead elsewhere.
      if (!/^\.*$|[/\0]/.test(name)) {
        found.push({ name, folder: (data.readUInt8(at + 25) & 2) !== 0, ...place(data, at) });
      }
    }
    at += length;
  }
  return found;
}

/** `VIOSTOR.INF;1` → `VIOSTOR.INF` */
function decodeName(bytes: Buffer, joliet: boolean): string {
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
  const text = joliet ? Buffer.from(even).swap16().toString('utf16le') : bytes.toString('latin1');
  return text.replace(/;\d+$/, '').replace(/\.$/, '');
}

async function read(handle: FileHandle, position: number, size: number, name: string): Promise<Buffer> {
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await handle.read(buffer, 0, size, position);
  if (bytesRead < size) throw broken(name);
  return buffer;
}

const broken = (name: string): JobError =>
  new JobError('DRIVERS_MISSING', `${name} is no ISO image that can be read: copy virtio-win.iso again`);
