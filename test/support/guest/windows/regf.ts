/**
 * Writes a registry hive (regf 1.3): the base block, one bin of cells, and in it keys (nk), values (vk), lists of subkeys
 * (lh) and one security descriptor (sk) that all keys share. Enough for Windows's own layout as hivex reads and extends it.
 */

/** `sz` is REG_SZ, `expand` REG_EXPAND_SZ, `dword` REG_DWORD, `binary` REG_BINARY. */
export type RegistryValue =
  { readonly sz: string } | { readonly expand: string } | { readonly dword: number } | { readonly binary: Uint8Array };

/** Path of a key (`Microsoft\Windows NT\CurrentVersion`, empty for the root) → its values by name. */
export type HiveContent = Readonly<Record<string, Readonly<Record<string, RegistryValue>>>>;

interface Key {
  readonly name: string;
  values: Readonly<Record<string, RegistryValue>>;
  readonly children: Key[];
}

const BLOCK_BYTES = 4096;
const BIN_HEADER_BYTES = 32;
const NONE = 0xff_ff_ff_ff;
/** 2024-04-03, in steps of 100 ns since 1601: a hive's content may not depend on when it was made. */
const TIME = 133_565_760_000_000_000n;

const ROOT_FLAGS = 0x2c;
/** The name is in Latin-1. */
const NAME_FLAGS = 0x20;

export function makeHive(content: HiveContent): Buffer {
  const cells = new Cells();
  const root = treeOf(content);
  const security = cells.add(securityCell());
  const rootOffset = writeKey(cells, root, NONE, security);
  cells.patch(security, (cell) => cell.writeUInt32LE(countKeys(root), 12));
  const bin = cells.bin();
  return Buffer.concat([baseBlock(rootOffset, bin.length), bin]);
}

/** Cells of one bin; offsets count from the bin's start, as everything in a hive does. */
class Cells {
  private readonly cells: Buffer[] = [];
  private bytes = BIN_HEADER_BYTES;

  add(data: Buffer): number {
    const size = Math.ceil((data.length + 4) / 8) * 8;
    const cell = Buffer.alloc(size);
    // In use: negative.
    cell.writeInt32LE(-size, 0);
    data.copy(cell, 4);
    this.cells.push(cell);
    const offset = this.bytes;
    this.bytes += size;
    return offset;
  }

  patch(offset: number, change: (data: Buffer) => void): void {
    let at = BIN_HEADER_BYTES;
    for (const cell of this.cells) {
      if (at === offset) change(cell.subarray(4));
      at += cell.length;
    }
  }

  bin(): Buffer {
    const size = Math.ceil((this.bytes + 8) / BLOCK_BYTES) * BLOCK_BYTES;
    const header = Buffer.alloc(BIN_HEADER_BYTES);
    header.write('hbin', 0, 'latin1');
    header.writeUInt32LE(size, 8);
    header.writeBigUInt64LE(TIME, 20);
    const free = Buffer.alloc(size - this.bytes);
    free.writeInt32LE(free.length, 0);
    return Buffer.concat([header, ...this.cells, free]);
  }
}

function writeKey(cells: Cells, key: Key, parent: number, security: number): number {
  const name = Buffer.from(key.name, 'latin1');
  const nk = Buffer.alloc(76 + name.length);
  const values = Object.entries(key.values);
  const children = key.children.toSorted((a, b) => (a.name.toUpperCase() < b.name.toUpperCase() ? -1 : 1));
  nk.write('nk', 0, 'latin1');
  nk.writeUInt16LE(parent === NONE ? ROOT_FLAGS : NAME_FLAGS, 2);
  nk.writeBigUInt64LE(TIME, 4);
  nk.writeUInt32LE(parent === NONE ? 0 : parent, 16);
  nk.writeUInt32LE(children.length, 20);
  nk.writeUInt32LE(NONE, 28);
  nk.writeUInt32LE(NONE, 32);
  nk.writeUInt32LE(values.length, 36);
  nk.writeUInt32LE(NONE, 40);
  nk.writeUInt32LE(security, 44);
  nk.writeUInt32LE(NONE, 48);
  nk.writeUInt32LE(longest(children.map((child) => child.name)) * 2, 52);
  nk.writeUInt32LE(longest(values.map(([valueName]) => valueName)) * 2, 60);
  nk.writeUInt32LE(Math.max(0, ...values.map(([, value]) => encode(value).data.length)), 64);
  nk.writeUInt16LE(name.length, 72);
  name.copy(nk, 76);
  const offset = cells.add(nk);

  const valueOffsets = values.map(([valueName, value]) => writeValue(cells, valueName, value));
  const childOffsets = children.map((child) => writeKey(cells, child, offset, security));
  const valueList = valueOffsets.length === 0 ? NONE : cells.add(uint32s(valueOffsets));
  const childList = childOffsets.length === 0 ? NONE : cells.add(subkeyList(children, childOffsets));
  cells.patch(offset, (cell) => {
    cell.writeUInt32LE(childList, 28);
    cell.writeUInt32LE(valueList, 40);
  });
  return offset;
}

function writeValue(cells: Cells, valueName: string, value: RegistryValue): number {
  const { type, data } = encode(value);
  const name = Buffer.from(valueName, 'latin1');
  const vk = Buffer.alloc(20 + name.length);
  vk.write('vk', 0, 'latin1');
  vk.writeUInt16LE(name.length, 2);
  if (data.length <= 4) {
    // Kept in the place of its offset, which the highest bit of the length says.
    vk.writeUInt32LE((data.length | 0x80_00_00_00) >>> 0, 4);
    data.copy(vk, 8);
  } else {
    vk.writeUInt32LE(data.length, 4);
    vk.writeUInt32LE(cells.add(data), 8);
  }
  vk.writeUInt32LE(type, 12);
  vk.writeUInt16LE(name.length === 0 ? 0 : 1, 16);
  name.copy(vk, 20);
  return cells.add(vk);
}

function encode(value: RegistryValue): { type: number; data: Buffer } {
  if ('sz' in value) return { type: 1, data: Buffer.from(`${value.sz}\0`, 'utf16le') };
  if ('expand' in value) return { type: 2, data: Buffer.from(`${value.expand}\0`, 'utf16le') };
  if ('binary' in value) return { type: 3, data: Buffer.from(value.binary) };
  return { type: 4, data: uint32s([value.dword]) };
}

/** `lh`: each subkey with the hash of its name, by which Windows looks it up. */
function subkeyList(children: readonly Key[], offsets: readonly number[]): Buffer {
  const list = Buffer.alloc(4 + 8 * offsets.length);
  list.write('lh', 0, 'latin1');
  list.writeUInt16LE(offsets.length, 2);
  for (const [index, offset] of offsets.entries()) {
    list.writeUInt32LE(offset, 4 + 8 * index);
    list.writeUInt32LE(nameHash(children[index]?.name ?? ''), 8 + 8 * index);
  }
  return list;
}

const nameHash = (name: string): number =>
  Buffer.from(name.toUpperCase(), 'latin1').reduce((hash, char) => (Math.imul(hash, 37) + char) >>> 0, 0);

/** Owned by the administrators, everything allowed to SYSTEM. The only one: its neighbours are itself. */
function securityCell(): Buffer {
  const administrators = sid(32, 544);
  const system = sid(18);
  const entry = Buffer.concat([Buffer.from([0, 2, 8 + system.length, 0]), uint32s([0x00_0f_00_3f]), system]);
  const list = Buffer.concat([Buffer.from([2, 0, 8 + entry.length, 0, 1, 0, 0, 0]), entry]);
  const header = Buffer.alloc(20);
  header.writeUInt8(1, 0);
  header.writeUInt16LE(0x80_04, 2);
  header.writeUInt32LE(20, 4);
  header.writeUInt32LE(20 + administrators.length, 8);
  header.writeUInt32LE(20 + administrators.length + system.length, 16);
  const descriptor = Buffer.concat([header, administrators, system, list]);
  const sk = Buffer.alloc(20);
  sk.write('sk', 0, 'latin1');
  sk.writeUInt32LE(BIN_HEADER_BYTES, 4);
  sk.writeUInt32LE(BIN_HEADER_BYTES, 8);
  sk.writeUInt32LE(descriptor.length, 16);
  return Buffer.concat([sk, descriptor]);
}

/** `S-1-5-<parts>` */
function sid(...parts: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from([1, parts.length, 0, 0, 0, 0, 0, 5]), uint32s(parts)]);
}

function baseBlock(rootOffset: number, binBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write('regf', 0, 'latin1');
  block.writeUInt32LE(1, 4);
  block.writeUInt32LE(1, 8);
  block.writeBigUInt64LE(TIME, 12);
  block.writeUInt32LE(1, 20);
  block.writeUInt32LE(3, 24);
  block.writeUInt32LE(1, 32);
  block.writeUInt32LE(rootOffset, 36);
  block.writeUInt32LE(binBytes, 40);
  block.writeUInt32LE(1, 44);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= block.readUInt32LE(at);
  block.writeUInt32LE(sum >>> 0, 508);
  return block;
}

function treeOf(content: HiveContent): Key {
  const root: Key = { name: 'ROOT', values: {}, children: [] };
  for (const [path, values] of Object.entries(content)) {
    let key = root;
    for (const name of path.split('\\').filter((each) => each !== '')) {
      let child = key.children.find((each) => each.name.toUpperCase() === name.toUpperCase());
      if (child === undefined) {
        child = { name, values: {}, children: [] };
        key.children.push(child);
      }
      key = child;
    }
    key.values = values;
  }
  return root;
}

const countKeys = (key: Key): number => key.children.reduce((count, child) => count + countKeys(child), 1);
const longest = (names: readonly string[]): number => Math.max(0, ...names.map(({ length }) => length));

function uint32s(numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * numbers.length);
  for (const [index, each] of numbers.entries()) buffer.writeUInt32LE(each >>> 0, 4 * index);
  return buffer;
}
