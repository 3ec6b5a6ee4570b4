import { CLUSTER, L2_ENTRIES, l1Entries, setEntry } from './qcow2-layout.js';

/**
 * Where the clusters of a disk lie in the image. They are placed one behind the other in the order of the disk; an L2 table
 * follows the last cluster of its 512 MiB. So the order of the guest's clusters alone decides the layout, and an unfinished
 * image is continued by placing again what it holds.
 */
export class ClusterMap {
  /** The L1 table, in whole clusters. */
  readonly l1: Buffer;
  /** First host cluster that is free; the header's cluster is kept. */
  next = 1;
  private last = -1;
  private l2: { index: number; table: Buffer } | undefined;

  constructor(private readonly capacityBytes: number) {
    this.l1 = Buffer.alloc(Math.ceil((l1Entries(capacityBytes) * 8) / CLUSTER) * CLUSTER);
  }

  /**
   * Places a guest's cluster at `next`.
   * @returns an L2 table that is complete by that and was placed before the cluster
   * @throws RangeError for a cluster that is not after the last one, or beyond the capacity
   */
  place(guestCluster: number): Buffer | undefined {
    if (guestCluster <= this.last) throw new RangeError(`cluster ${guestCluster} does not follow cluster ${this.last}`);
    if (guestCluster * CLUSTER >= this.capacityBytes)
      throw new RangeError(`cluster ${guestCluster} is beyond the disk`);
    this.last = guestCluster;
    const index = Math.floor(guestCluster / L2_ENTRIES);
    let complete: Buffer | undefined;
    if (this.l2?.index !== index) {
      complete = this.closeTable();
      this.l2 = { index, table: Buffer.alloc(CLUSTER) };
    }
    setEntry(this.l2.table, guestCluster % L2_ENTRIES, this.next++);
    return complete;
  }

  /** Places the table that is open, if one is. */
  closeTable(): Buffer | undefined {
    if (this.l2 === undefined) return undefined;
    const { index, table } = this.l2;
    this.l2 = undefined;
    setEntry(this.l1, index, this.next++);
    return table;
  }
}
