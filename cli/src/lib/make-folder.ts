import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes a folder with those above it. Node's own `recursive` never comes back from a place where nothing can be made, as in /proc.
 * @returns false where it was there already
 * @throws Error of the file system
 */
export function makeFolder(folder: string, mode: number): boolean {
  const there = isFolder(folder);
  if (there === true) return false;
  const above = path.dirname(folder);
  if (there === undefined && above !== folder && isFolder(above) === undefined) makeFolder(above, mode);
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    // Somebody else was first.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && isFolder(folder) === true) return false;
    throw error;
  }
}

/** Undefined where there is nothing. */
const isFolder = (file: string): boolean | undefined => statSync(file, { throwIfNoEntry: false })?.isDirectory();
