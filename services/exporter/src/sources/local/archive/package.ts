import path from 'node:path';
import { invalid } from '../failures.js';
import type { AllowedRoots } from '../files/allowed.js';
import type { FileIdentity } from '../files/identity.js';
import { SourceFile, part, type ByteSource } from '../files/source-file.js';
import { indexTar } from './tar-index.js';

/** Where a file of a package lies. */
export interface Place {
  readonly identity: FileIdentity;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** The files of an OVF package: an archive, or a folder. */
export interface OvfPackage {
  readonly kind: 'archive' | 'folder';
  /** For messages. */
  nameOf(member: string): string;
  readonly descriptor: string;
  /** Undefined where there is none. */
  readonly manifest: string | undefined;
  /** Whether its signature lies there; nobody checks it. */
  readonly signed: boolean;
  readonly concerns: readonly string[];
  /** @throws JobError SOURCE_INVALID when there is no such file, PATH_DENIED when it leads elsewhere */
  use<T>(member: string, work: (bytes: ByteSource, place: Place, file: SourceFile) => Promise<T>): Promise<T>;
}

/** @throws JobError SOURCE_INVALID */
export async function openPackage(file: SourceFile, allowed: AllowedRoots): Promise<OvfPackage> {
  return path.extname(file.name).toLowerCase() === '.ovf' ? openFolder(file, allowed) : openArchive(file);
}

async function openArchive(file: SourceFile): Promise<OvfPackage> {
  const { members, ended } = await indexTar(file);
  const names = [...members.keys()];
  const descriptors = names.filter((name) => /\.ovf$/i.test(name));
  const [descriptor] = descriptors;
  if (descriptor === undefined || descriptors.length > 1)
    throw invalid(file.name, `holds ${descriptors.length === 0 ? 'no OVF descriptor' : 'several OVF descriptors'}`);
  const besides = (suffix: string): string | undefined => {
    const wanted = descriptor.replace(/\.ovf$/i, suffix).toLowerCase();
    return names.find((name) => name.toLowerCase() === wanted);
  };
  return {
    kind: 'archive',
    nameOf: (member) => `${file.name}: ${member}`,
    descriptor,
    manifest: besides('.mf') ?? names.find((name) => /\.mf$/i.test(name)),
    signed: besides('.cert') !== undefined,
    concerns: ended ? [] : [`${file.name} has no mark of an archive's end: it may have been cut off between two files`],
    use: async (member, work) => {
      const found = members.get(member);
      if (found === undefined) throw invalid(file.name, `holds no ${member}, which its descriptor or manifest names`);
      const { offset, sizeBytes } = found;
      const bytes = part(file, `${file.name}: ${member}`, offset, sizeBytes);
      return work(bytes, { identity: file.identity, offset, sizeBytes }, file);
    },
  };
}

async function openFolder(file: SourceFile, allowed: AllowedRoots): Promise<OvfPackage> {
  const folder = path.dirname(file.name);
  const besides = async (suffix: string): Promise<string | undefined> => {
    const name = path.basename(file.name).replace(/\.ovf$/i, suffix);
    const there = await allowed.resolve(path.join(folder, name)).then(
      () => true,
      (error: Error) => !error.message.endsWith('does not exist'),
    );
    return there ? name : undefined;
  };
  return {
    kind: 'folder',
    nameOf: (member) => path.join(folder, member),
    descriptor: path.basename(file.name),
    manifest: await besides('.mf'),
    signed: (await besides('.cert')) !== undefined,
    concerns: [],
    use: (member, work) =>
      SourceFile.use(path.join(folder, member), allowed, (opened) =>
        work(opened, { identity: opened.identity, offset: 0, sizeBytes: opened.sizeBytes }, opened),
      ),
  };
}
