/** Times in milliseconds, sizes in bytes. */
export interface ExportSettings {
  /** Images and manifests of a job lie in `<workDir>/<job>`. */
  readonly workDir: string;
  /** Local sources lie beneath one of these. */
  readonly allowedRoots: readonly string[];
  readonly maxDisksPerVm: number;
  /** Ranges of one disk under way at the same time. */
  readonly rangeConnections: number;
  /**
   * Used by provisioned bytes of a disk from which its flat file is read rather than the export stream: the file brings every
   * provisioned byte, several times faster and resumable, the stream only used ones, compressed, at some 20 to 30 MB/s.
   */
  readonly datastoreMinUsedRatio: number;
  /** Off: images are not read again after they were written, and not called verified. */
  readonly readBack: boolean;
  /** A stream without data for this long is given up. */
  readonly stallTimeoutMs: number;
  /** How long a lease of somebody else is waited out. */
  readonly leaseWaitMs: number;
  /** How often within one export a lease that was lost is replaced. */
  readonly leaseRenewals: number;
  /** How long a guest may take to shut down before it is switched off. */
  readonly shutdownTimeoutMs: number;
  /** An older snapshot of this job is not used any more. */
  readonly snapshotMaxAgeMs: number;
  /** So much stays free in `workDir`. */
  readonly minFreeBytes: number;
  /** Below this the export is given up, so that its snapshot does not stop other VMs. */
  readonly datastoreMinFreePercent: number;
  /** Between looks at the free space of `workDir`, and at the source's datastores and snapshot. */
  readonly spaceCheckMs: number;
  readonly sourceCheckMs: number;
  /** Pauses before a broken transfer of a disk begins again, and how often it does. */
  readonly diskRetryMs: readonly number[];
  /** Pauses between tries to remove the snapshot. */
  readonly cleanupRetryMs: readonly number[];
}

export const DEFAULT_SETTINGS: Omit<ExportSettings, 'workDir'> = {
  allowedRoots: ['/var/lib/hyper2kvm/import'],
  maxDisksPerVm: 3,
  rangeConnections: 6,
  datastoreMinUsedRatio: 0.5,
  readBack: true,
  stallTimeoutMs: 60_000,
  // A little longer than a lease that nobody renews lives.
  leaseWaitMs: 330_000,
  leaseRenewals: 3,
  shutdownTimeoutMs: 300_000,
  snapshotMaxAgeMs: 24 * 3_600_000,
  minFreeBytes: 256 * 2 ** 20,
  datastoreMinFreePercent: 5,
  spaceCheckMs: 1_000,
  sourceCheckMs: 60_000,
  diskRetryMs: [2_000, 10_000],
  cleanupRetryMs: [1_000, 3_000, 10_000, 20_000],
};
