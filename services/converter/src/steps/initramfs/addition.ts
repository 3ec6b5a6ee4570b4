/** Which files of a kernel's modules go into an image, and where: decided without touching anything. */
import { moduleName } from './plan.js';

export interface Addition {
  /** The folder of the kernel's modules in the image: `usr/lib/modules/6.1.0-28-amd64`. */
  readonly folder: string;
  /** Modules that the image has, beneath the folder. */
  readonly present: readonly string[];
  /** Modules to add, with all that they depend on. */
  readonly added: readonly string[];
}

/** modules.dep(5): each module, and all that it depends on; paths beneath the kernel's folder. */
export function readDependencies(text: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const [file, rest] = line.split(':');
    if (file === undefined || rest === undefined) continue;
    found.set(
      file,
      rest.split(' ').filter((each) => each !== ''),
    );
  }
  return found;
}

/** What may be given to a command and made a path of: names come from the guest. */
const PLAIN = /^(?:[A-Za-z0-9_+][A-Za-z0-9_.+-]*\/)*[A-Za-z0-9_+][A-Za-z0-9_.+-]*\.ko(?:\.(?:gz|xz|zst))?$/;

/**
 * @param paths what the image holds
 * @param missing names of modules
 * @returns a text saying why not, where the image has to be built anew
 */
export function planAddition(
  version: string,
  paths: readonly string[],
  dependencies: ReadonlyMap<string, readonly string[]>,
  missing: readonly string[],
): Addition | string {
  const folders = new Set(paths.map((path) => folderOf(path, version)).filter((folder) => folder !== undefined));
  const [folder] = folders;
  if (folder === undefined || folders.size > 1) return `it has ${folders.size} folders of modules`;
  const present = paths
    .filter((path) => path.startsWith(`${folder}/`) && moduleName(path) !== undefined)
    .map((path) => path.slice(folder.length + 1));
  const unknown = present.find((path) => !dependencies.has(path));
  if (unknown !== undefined) return `its ${unknown} is not one of the guest's modules`;
  const files = [...dependencies.keys()].filter((file) => missing.includes(moduleName(file) ?? ''));
  const added = new Set(files.flatMap((file) => [...(dependencies.get(file) ?? []), file]));
  for (const path of present) added.delete(path);
  const odd = [...present, ...added].find((path) => !PLAIN.test(path));
  if (odd !== undefined) return `its ${JSON.stringify(odd)} is no plain name`;
  return { folder, present, added: [...added] };
}

function folderOf(path: string, version: string): string | undefined {
  const at = `lib/modules/${version}/`;
  if (path.startsWith(at)) return at.slice(0, -1);
  return path.startsWith(`usr/${at}`) ? `usr/${at.slice(0, -1)}` : undefined;
}

/** Folders that have to be made for files, parents first. */
export function missingFolders(files: readonly string[], paths: readonly string[]): string[] {
  const there = new Set(paths);
  const needed = new Set<string>();
  for (const file of files) {
    const parts = file.split('/');
    for (let end = 1; end < parts.length; end += 1) needed.add(parts.slice(0, end).join('/'));
  }
  return [...needed].filter((folder) => !there.has(folder));
}
