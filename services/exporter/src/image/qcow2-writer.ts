import { open, type FileHandle } from 'node:fs/promises';
import { GatheredWriter } from './gathered-writer.js';
import {
  CLUSTER,
  L2_ENTRIES,
  headerCluster,
  l1Entries,
  planRefcounts,
  refcountBlock,
  refcountTable,
  setEntry,
} from './qcow2-layout.js';

const PAD = Buffer.alloc(CLUSTER);

/**
 * Writes a qcow2 image whose clusters come in the order of the disk. They are appended as they come; an L2 table follows
 * the last cluster of its 512 MiB, so memory does not grow with the disk; L1 table and refcounts come at the end. The
 * header is written last, after a sync: a file cut short has no magic and no program takes it for an image.
 */
export class Qcow2Writer {
  private readonly out: GatheredWriter;
  private readonly l1: Buffer;
  /** The header's cluster is kept free. */
  private nextCluster = 1;
  private lastGuestCluster = -1;
  private l2: { index: number; table: Buffer } | undefined;
  private closed = false;

  private constructor(
    private readonly file: FileHandle,
    private readonly capacityBytes: number,
  ) {
    this.out = new GatheredWriter(file.fd, CLUSTER);
    this.l1 = Buffer.alloc(Math.ceil((l1Entries(capacityBytes) * 8) / CLUSTER) * CLUSTER);
  }

  /** Creates the file; an existing one is an error. */
  static async create(path: string, capacityBytes: number): Promise<Qcow2Writer> {
    return new Qcow2Writer(await open(path, 'wx', 0o600), capacityBytes);
  }

  /**
   * @param content up to a cluster; shorter ones are padded with zeros. It must not change any more.
   * @throws RangeError for a cluster that is not after the last one, or beyond the capacity
   */
  add(guestCluster: number, content: Buffer): void {
    if (guestCluster <= this.lastGuestCluster)
      throw new RangeError(`cluster ${guestCluster} does not follow cluster ${this.lastGuestCluster}`);
    if (guestCluster * CLUSTER >= this.capacityBytes)
      throw new RangeError(`cluster ${guestCluster} is beyond the disk`);
    this.lastGuestCluster = guestCluster;
    const index = Math.floor(guestCluster / L2_ENTRIES);
    if (this.l2?.index !== index) {
      this.closeL2();
      this.l2 = { index, table: Buffer.alloc(CLUSTER) };
    }
    setEntry(this.l2.table, guestCluster % L2_ENTRIES, this.append(content));
  }

  pressure(): Promise<void> | undefined {
    return this.out.pressure();
  }

  /** Completes and closes the file. Returns its size in bytes. */
  async finish(): Promise<number> {
    this.closeL2();
    const l1Cluster = this.append(this.l1);
    const plan = planRefcounts(this.nextCluster);
    const firstBlock = this.nextCluster;
    for (let i = 0; i < plan.blocks; i++) {
      this.append(refcountBlock(plan, i));
      await this.out.pressure();
    }
    const refcountTableCluster = this.append(refcountTable(plan, firstBlock));
    await this.out.drain();
    await this.file.datasync();
    const header = headerCluster({
      capacityBytes: this.capacityBytes,
      l1Cluster,
      refcountTableCluster,
      refcountTableClusters: plan.tableClusters,
    });
    await this.file.write(header, 0, header.length, 0);
    await this.file.sync();
    await this.close();
    return plan.totalClusters * CLUSTER;
  }

  /** Closes the file as it is, without a header. For a writer that is given up; errors of pending writes do not matter. */
  async abandon(): Promise<void> {
    await this.out.drain().catch(() => {});
    await this.close();
  }

  private async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.file.close();
  }

  private closeL2(): void {
    if (this.l2 === undefined) return;
    const { index, table } = this.l2;
    this.l2 = undefined;
    setEntry(this.l1, index, this.append(table));
  }

  /** Returns the host cluster where the content begins. */
  private append(content: Buffer): number {
    const cluster = this.nextCluster;
    this.nextCluster += Math.ceil(content.length / CLUSTER);
    this.out.append(content);
    const padding = (CLUSTER - (content.length % CLUSTER)) % CLUSTER;
    if (padding > 0) this.out.append(PAD.subarray(0, padding));
    return cluster;
  }
}
