import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { inlineToken, parseTree, readText, tolerant } from './read.js';

const OWN = 0o600;
const TRIES = 20;
/** As many as the kernel follows. */
const LINKS = 40;

/**
 * Changes the file: at once and whole, so that nobody reads half of it; made with its folder where it is not there. It keeps its
 * mode, but that nobody else may read it once a token stands in it. A link stays one: what it leads to is changed.
 * @param change is given the text, which is YAML, and may be asked again where somebody else changed the file meanwhile
 * @throws UsageError where the file is not YAML
 */
export function changeConfig(file: string, change: (text: string) => string): void {
  const target = targetOf(file);
  // A device or a pipe would be replaced by a file: with /dev/null, for every program of the machine.
  if (statSync(target, { throwIfNoEntry: false })?.isFile() === false)
    throw new UsageError(`${file} is no regular file: nothing can be kept in it`, 'name another one: HYPERCTL_CONFIG');
  makeFolder(path.dirname(target), 0o700);
  for (let tries = 1; ; tries += 1) {
    const before = readText(file);
    parseTree(file, before ?? '');
    const after = change(before ?? '');
    if (after === before) return;
    const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}`);
    try {
      writeWhole(temporary, after, before === undefined ? undefined : statSync(target));
      if (readText(file) === before) return renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw ofTarget(error, temporary, target);
    }
    rmSync(temporary, { force: true });
    if (tries === TRIES) throw new UsageError(`${file} is being changed by somebody else`, 'try it again');
  }
}

/** Where a link leads, also when there is nothing yet. */
function targetOf(file: string): string {
  let target = file;
  for (let links = 0; links < LINKS; links += 1) {
    if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target;
    target = path.resolve(path.dirname(target), readlinkSync(target));
  }
  return file;
}

/** Nobody knows the file beside it. */
function ofTarget(error: unknown, temporary: string, target: string): unknown {
  const failure = error as NodeJS.ErrnoException;
  if (failure.path === temporary) failure.path = target;
  return error;
}

function writeWhole(file: string, text: string, old: Stats | undefined): void {
  const { common, contexts } = tolerant(file, text);
  const mode = old === undefined || inlineToken(common, contexts) !== undefined ? OWN : old.mode & 0o777;
  const handle = openSync(file, 'wx', OWN);
  try {
    // All of it, or an error: a disk that is just full takes the first part only.
    writeFileSync(handle, text);
    fchmodSync(handle, mode);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  // Of somebody else, where root changes it.
  if (old !== undefined && process.getuid?.() === 0) chownSync(file, old.uid, old.gid);
}
