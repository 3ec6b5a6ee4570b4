import { arrayOf, child, list, number, text } from './values.js';

/** The files of a VM as its `layoutEx` tells them. */
export interface FileLayout {
  readonly files: ReadonlyMap<number, { readonly name: string; readonly bytes: number }>;
  /** Device key of a disk → keys of the files of its chain, the base first. */
  readonly chains: ReadonlyMap<number, readonly (readonly number[])[]>;
}

export function readLayout(layoutEx: unknown): FileLayout {
  const files = new Map<number, { name: string; bytes: number }>();
  for (const file of elements(layoutEx, 'file', 'VirtualMachineFileLayoutExFileInfo')) {
    const key = number(file, 'key');
    if (key !== undefined) files.set(key, { name: text(file, 'name') ?? '', bytes: number(file, 'size') ?? 0 });
  }
  const chains = new Map<number, number[][]>();
  for (const disk of elements(layoutEx, 'disk', 'VirtualMachineFileLayoutExDiskLayout')) {
    const key = number(disk, 'key');
    if (key === undefined) continue;
    const units = elements(disk, 'chain', 'VirtualMachineFileLayoutExDiskUnit');
    chains.set(
      key,
      units.map((unit) => elements(unit, 'fileKey', 'int').map((value) => number(value) ?? -1)),
    );
  }
  return { files, chains };
}

/** What a disk takes up with all files of its chain; undefined where vCenter does not know. */
export function usedBytes(layout: FileLayout, diskKey: number): number | undefined {
  const chain = layout.chains.get(diskKey);
  return chain === undefined || chain.length === 0 ? undefined : sizeOf(layout, chain.flat());
}

/** What the newest deltas of all disks take up: what was written since the newest snapshot. */
export function deltaBytes(layout: FileLayout): number {
  let bytes = 0;
  for (const chain of layout.chains.values()) if (chain.length > 1) bytes += sizeOf(layout, chain.at(-1) ?? []);
  return bytes;
}

const sizeOf = (layout: FileLayout, keys: readonly number[]): number =>
  keys.reduce((sum, key) => sum + (layout.files.get(key)?.bytes ?? 0), 0);

/** A list as a server writes it: bare elements, or wrapped in ArrayOf<type>. */
function elements(node: unknown, path: string, type: string): readonly unknown[] {
  const at = child(node, path);
  const wrapped = arrayOf(at, type);
  return wrapped.length > 0 ? wrapped : list(at);
}
