/*
 * qcow2 version 3, after QEMU's docs/interop/qcow2.rst: all numbers are big-endian. 64 KiB clusters, the size of a VMDK
 * grain; an L2 table is one cluster and maps 512 MiB.
 */
export const CLUSTER = 65_536;
export const L2_ENTRIES = CLUSTER / 8;
/** Of an L1 or L2 entry: the cluster's refcount is exactly one. */
const COPIED = 0x8000_0000;
const REFCOUNTS_PER_BLOCK = CLUSTER / 2;
const HEADER_LENGTH = 104;

/** Writes the entry of a host cluster into a table. */
export function setEntry(table: Buffer, index: number, hostCluster: number): void {
  const offset = hostCluster * CLUSTER;
  table.writeUInt32BE((Math.floor(offset / 2 ** 32) | COPIED) >>> 0, index * 8);
  table.writeUInt32BE(offset % 2 ** 32, index * 8 + 4);
}

export const l1Entries = (capacityBytes: number): number =>
  Math.max(1, Math.ceil(capacityBytes / (L2_ENTRIES * CLUSTER)));

export interface RefcountPlan {
  readonly blocks: number;
  readonly tableClusters: number;
  /** Clusters of the whole file. */
  readonly totalClusters: number;
}

/** Refcount blocks and their table count themselves too. @param used clusters before the first refcount block */
export function planRefcounts(used: number): RefcountPlan {
  let total = used;
  for (;;) {
    const blocks = Math.ceil(total / REFCOUNTS_PER_BLOCK);
    const tableClusters = Math.ceil((blocks * 8) / CLUSTER);
    const next = used + blocks + tableClusters;
    if (next === total) return { blocks, tableClusters, totalClusters: total };
    total = next;
  }
}

/** Block `index`: a count of one for every cluster of the file, which has no gaps. */
export function refcountBlock(plan: RefcountPlan, index: number): Buffer {
  const block = Buffer.alloc(CLUSTER);
  const counted = Math.min(REFCOUNTS_PER_BLOCK, plan.totalClusters - index * REFCOUNTS_PER_BLOCK);
  for (let i = 0; i < counted; i++) block.writeUInt16BE(1, i * 2);
  return block;
}

/** The table that names `plan.blocks` blocks, the first at `firstBlock`. */
export function refcountTable(plan: RefcountPlan, firstBlock: number): Buffer {
  const table = Buffer.alloc(plan.tableClusters * CLUSTER);
  for (let i = 0; i < plan.blocks; i++) table.writeBigUInt64BE(BigInt((firstBlock + i) * CLUSTER), i * 8);
  return table;
}

export interface HeaderFields {
  readonly capacityBytes: number;
  readonly l1Cluster: number;
  readonly refcountTableCluster: number;
  readonly refcountTableClusters: number;
}

/** The first cluster of the file. */
export function headerCluster(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(CLUSTER);
  header.write('QFI\u00FB', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(BigInt(fields.capacityBytes), 24);
  header.writeUInt32BE(l1Entries(fields.capacityBytes), 36);
  header.writeBigUInt64BE(BigInt(fields.l1Cluster * CLUSTER), 40);
  header.writeBigUInt64BE(BigInt(fields.refcountTableCluster * CLUSTER), 48);
  header.writeUInt32BE(fields.refcountTableClusters, 56);
  // Refcounts of 2^4 bits.
  header.writeUInt32BE(4, 96);
  header.writeUInt32BE(HEADER_LENGTH, 100);
  return header;
}
