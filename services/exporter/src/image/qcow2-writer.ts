import { open, type FileHandle } from 'node:fs/promises';
import { ClusterMap } from './cluster-map.js';
import { GatheredWriter } from './gathered-writer.js';
import { CLUSTER, headerCluster, planRefcounts, refcountBlock, refcountTable } from './qcow2-layout.js';

const PAD = Buffer.alloc(CLUSTER);

/**
 * Writes a qcow2 image whose clusters come in the order of the disk. They are appended as they come (see ClusterMap), so
 * memory does not grow with the disk; L1 table and refcounts come at the end. The header is written last, after a sync: a
 * file cut short has no magic and no program takes it for an image.
 */
export class Qcow2Writer {
  private readonly out: GatheredWriter;
  private closed = false;

  private constructor(
    private readonly file: FileHandle,
    private readonly capacityBytes: number,
    private readonly map: ClusterMap,
  ) {
    this.out = new GatheredWriter(file.fd, map.next * CLUSTER);
  }

  /** Creates the file; an existing one is an error. */
  static async create(path: string, capacityBytes: number): Promise<Qcow2Writer> {
    return new Qcow2Writer(await open(path, 'wx', 0o600), capacityBytes, new ClusterMap(capacityBytes));
  }

  /**
   * Continues an image behind what is known to be in it: the rest, and a header, are cut off.
   * @param map with everything placed that the file holds
   */
  static async reopen(path: string, capacityBytes: number, map: ClusterMap): Promise<Qcow2Writer> {
    const file = await open(path, 'r+');
    try {
      await file.write(PAD, 0, PAD.length, 0);
      await file.truncate(map.next * CLUSTER);
      await file.sync();
      return new Qcow2Writer(file, capacityBytes, map);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** First host cluster that nothing is placed in. */
  get nextCluster(): number {
    return this.map.next;
  }

  /**
   * @param content up to a cluster; shorter ones are padded with zeros. It may change again afterwards.
   * @throws RangeError for a cluster that is not after the last one, or beyond the capacity
   */
  add(guestCluster: number, content: Buffer): void {
    const table = this.map.place(guestCluster);
    if (table !== undefined) this.append(table);
    this.append(content);
  }

  pressure(): Promise<void> | undefined {
    return this.out.pressure();
  }

  /** Everything added so far is on the disk when it resolves. @throws the first error of a write */
  async flush(): Promise<void> {
    await this.out.flush();
  }

  /** Completes and closes the file. Returns its size in bytes. */
  async finish(): Promise<number> {
    const { map } = this;
    const table = map.closeTable();
    if (table !== undefined) this.append(table);
    const l1Cluster = map.next;
    this.append(map.l1);
    const firstBlock = l1Cluster + map.l1.length / CLUSTER;
    const plan = planRefcounts(firstBlock);
    for (let i = 0; i < plan.blocks; i++) {
      this.append(refcountBlock(plan, i));
      await this.out.pressure();
    }
    this.append(refcountTable(plan, firstBlock));
    await this.out.drain();
    await this.file.datasync();
    const header = headerCluster({
      capacityBytes: this.capacityBytes,
      l1Cluster,
      refcountTableCluster: firstBlock + plan.blocks,
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

  private append(content: Buffer): void {
    this.out.append(content);
    const padding = (CLUSTER - (content.length % CLUSTER)) % CLUSTER;
    if (padding > 0) this.out.append(PAD.subarray(0, padding));
  }
}
