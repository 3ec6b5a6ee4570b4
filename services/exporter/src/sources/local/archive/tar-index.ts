import { invalid } from '../failures.js';
import type { ByteSource } from '../files/source-file.js';
import { isPlainName } from '../headers/vmdk-descriptor.js';
import { BLOCK, TarError, parsePax, parseTarHeader } from './tar-header.js';

/** A file in an archive. */
export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface TarIndex {
  readonly members: ReadonlyMap<string, TarMember>;
  /** False: the file ends without the mark of an archive's end. */
  readonly ended: boolean;
}

const MAX_MEMBERS = 4096;
const MAX_EXTRA_BYTES = 1024 * 1024;
const MAX_NAME_BYTES = 4096;

/**
 * Where the files of an archive lie. Reads headers alone, whatever their size; nothing is unpacked.
 * @throws JobError SOURCE_INVALID
 */
export async function indexTar(archive: ByteSource): Promise<TarIndex> {
  const members = new Map<string, TarMember>();
  let at = 0;
  try {
    let next: { name?: string; sizeBytes?: number } = {};
    for (let headers = 0; at + BLOCK <= archive.sizeBytes; headers++) {
      if (headers > 3 * MAX_MEMBERS) throw new TarError('too many headers');
      const header = parseTarHeader(await archive.read(at, BLOCK));
      if (header === undefined) return { members, ended: true };
      const offset = at + BLOCK;
      const sizeBytes = next.sizeBytes ?? header.sizeBytes;
      if (offset + sizeBytes > archive.sizeBytes)
        throw new TarError(`${next.name ?? header.name} goes on beyond the end of the archive, which was cut off`);
      const extra = async (limit: number): Promise<Buffer> => {
        if (sizeBytes > limit) throw new TarError(`an extended header of ${sizeBytes} bytes`);
        return archive.read(offset, sizeBytes);
      };
      switch (header.type) {
        case 'x':
          next = { ...next, ...fromPax(parsePax(await extra(MAX_EXTRA_BYTES))) };
          break;
        case 'L':
          next = { ...next, name: (await extra(MAX_NAME_BYTES)).toString('utf8').replace(/\0+$/, '') };
          break;
        case 'g':
          if ('sizeBytes' in fromPax(parsePax(await extra(MAX_EXTRA_BYTES))))
            throw new TarError('a size for all files');
          break;
        case '0':
        case '7':
          add(members, { name: plainName(next.name ?? header.name), offset, sizeBytes });
          next = {};
          break;
        case '5':
          if (!['.', './'].includes(next.name ?? header.name)) throw new TarError('a folder; an OVA has none');
          next = {};
          break;
        default:
          throw new TarError(`${header.name}, which is no plain file`);
      }
      at = offset + Math.ceil(sizeBytes / BLOCK) * BLOCK;
    }
    if (members.size === 0) throw new TarError('no file');
    return { members, ended: false };
  } catch (error) {
    if (error instanceof TarError)
      throw invalid(archive.name, `is no OVA that can be read: at byte ${at} there is ${error.message}`);
    throw error;
  }
}

function fromPax(records: Map<string, string>): { name?: string; sizeBytes?: number } {
  if ([...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw new TarError('a sparse file');
  const name = records.get('path');
  const size = records.get('size');
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw new TarError('a size that is no number');
  return { ...(name === undefined ? {} : { name }), ...(size === undefined ? {} : { sizeBytes: Number(size) }) };
}

function add(members: Map<string, TarMember>, member: TarMember): void {
  if (members.has(member.name)) throw new TarError(`a second ${member.name}`);
  if (members.size >= MAX_MEMBERS) throw new TarError(`more than ${MAX_MEMBERS} files`);
  members.set(member.name, member);
}

/** `./name` is what `tar -cf x.ova ./*` writes. */
function plainName(name: string): string {
  const plain = name.startsWith('./') ? name.slice(2) : name;
  if (!isPlainName(plain)) throw new TarError(`a file named ${JSON.stringify(name)}; an OVA has plain names only`);
  return plain;
}
