import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { denied, openFailure } from '../failures.js';

/** The folders beneath which a caller may name files. */
export class AllowedRoots {
  private real: Promise<string[]> | undefined;

  constructor(private readonly roots: readonly string[]) {}

  /**
   * Where a file really lies.
   * @throws JobError PATH_DENIED when that is outside, by `..` or by symbolic links; SOURCE_INVALID when it is not there
   */
  async resolve(file: string): Promise<string> {
    this.real ??= Promise.all(this.roots.map((root) => realpath(root).catch(() => path.resolve(root))));
    const roots = await this.real;
    const given = path.resolve(file);
    // Before anything of it is looked at: whether a file outside exists is not told.
    const named = [...this.roots.map((root) => path.resolve(root)), ...roots];
    if (!named.some((root) => isBeneath(given, root))) throw this.outside(file);
    let found: string;
    try {
      found = await realpath(given);
    } catch (error) {
      throw openFailure(file, error);
    }
    if (!roots.some((root) => isBeneath(found, root))) throw this.outside(file);
    return found;
  }

  private outside(file: string): Error {
    const roots = this.roots.length === 0 ? 'none is configured' : this.roots.join(', ');
    return denied(file, `lies outside of the allowed folders (${roots})`);
  }
}

function isBeneath(file: string, root: string): boolean {
  const relative = path.relative(root, file);
  return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
