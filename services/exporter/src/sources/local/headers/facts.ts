/** What the header of an image tells, after everything that leads out of the file was refused. */
export interface HeaderFacts {
  /** As the guest sees it. QEMU has to say the same. */
  readonly capacityBytes: number;
  readonly concerns: readonly string[];
}
