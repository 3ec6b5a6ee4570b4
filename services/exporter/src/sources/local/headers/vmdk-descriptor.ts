import { invalid } from '../failures.js';

/*
 * The text part of a VMDK, after VMware's "Virtual Disk Format 5.0". Read strictly: a line that is none of the known kinds
 * is refused, so that nobody who reads it after us finds a reference that we did not.
 */
const MAX_EXTENTS = 1024;
const EXTENT = /^(RW|RDONLY|NOACCESS)\s+(\d{1,15})\s+([A-Z]+)(?:\s+"([^"]*)"(?:\s+(\d{1,15}))?)?\s*$/;
const SETTING = /^([A-Za-z][\w.]*(?::\w+)?)\s*=\s*(.*?)\s*$/;
/** Extents that QEMU reads. VMFS is ESX's word for FLAT. */
const EXTENT_TYPES = new Set(['FLAT', 'VMFS', 'SPARSE']);
const REFUSED: Record<string, string> = {
  VMFSRDM: 'is a raw device mapping',
  VMFSRDMP: 'is a raw device mapping',
  VMFSRAW: 'is a raw device mapping',
  VMFSSPARSE: 'is a snapshot of ESX, which holds only changes',
  SESPARSE: 'is a snapshot of ESX, which holds only changes',
  ZERO: 'has an extent without a file (ZERO), which QEMU does not read',
};

export interface Extent {
  readonly sectors: number;
  readonly type: 'FLAT' | 'VMFS' | 'SPARSE';
  /** A plain name in the descriptor's folder. */
  readonly name: string;
  /** Within the file. */
  readonly offsetSectors: number;
}

export interface Descriptor {
  readonly createType: string;
  readonly extents: readonly Extent[];
}

/** @param name of the file, for messages @throws JobError SOURCE_INVALID */
export function parseDescriptor(name: string, text: string): Descriptor {
  assertStandsAlone(name, text);
  const settings = new Map<string, string>();
  const extents: Extent[] = [];
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const extent = EXTENT.exec(line);
    if (extent !== null) extents.push(checkExtent(name, extent));
    else {
      const [, key, value] = SETTING.exec(line) ?? [];
      if (key === undefined || value === undefined)
        throw invalid(name, `has a line that no VMDK descriptor has: ${JSON.stringify(line.slice(0, 60))}`);
      settings.set(key.toLowerCase(), value.replace(/^"(.*)"$/, '$1'));
    }
    if (extents.length > MAX_EXTENTS) throw invalid(name, `has more than ${MAX_EXTENTS} extents`);
  }
  const createType = settings.get('createtype');
  if (createType === undefined) throw invalid(name, 'has a descriptor without createType');
  return { createType, extents };
}

/** For any text that holds a descriptor, however it is written. @throws JobError SOURCE_INVALID */
export function assertStandsAlone(name: string, text: string): void {
  // Wherever it stands: QEMU looks for the word alone.
  const parents = [...text.matchAll(/^\s*parentCID\s*=\s*"?(\w*)/gim)];
  if (/parentFileNameHint/i.test(text) || parents.some(([, cid = '']) => cid.toLowerCase() !== 'ffffffff'))
    throw invalid(name, 'is a snapshot: it holds only the changes to another disk; give the consolidated disk');
  if (/^\s*encryption\./im.test(text)) throw invalid(name, 'is encrypted; decrypt the VM first');
}

function checkExtent(name: string, [, access, sectors, type = '', file, offset]: readonly string[]): Extent {
  if (!EXTENT_TYPES.has(type)) throw invalid(name, REFUSED[type] ?? `has an extent of unknown type ${type}`);
  if (access !== 'RW') throw invalid(name, `has an extent that is ${access}`);
  if (file === undefined) throw invalid(name, `has a ${type} extent without a file`);
  if (!isPlainName(file))
    throw invalid(name, `refers to ${JSON.stringify(file)}: extents have to lie in the descriptor's own folder`);
  return { sectors: Number(sectors), type: type as Extent['type'], name: file, offsetSectors: Number(offset ?? 0) };
}

/**
 * The name of a file in the same folder. A colon would make it an address to some programs; U+FFFD stands for bytes that are no
 * text, so that the name would be another one to them.
 */
export const isPlainName = (name: string): boolean =>
  // oxlint-disable-next-line no-control-regex -- control characters are what is kept out
  name !== '' && name !== '.' && name !== '..' && name.length <= 255 && !/[/\\:\u0000-\u001F\uFFFD]/.test(name);
