/** What is wrong with a VMDK stream; one word for tests and metrics. */
export type VmdkProblem =
  | 'empty'
  | 'not-vmdk'
  | 'unsupported'
  | 'header'
  | 'marker'
  | 'grain'
  | 'duplicate'
  | 'order'
  | 'beyond'
  | 'tables'
  | 'capacity'
  | 'truncated'
  | 'trailing';

/** A stream that is not a complete, valid streamOptimized VMDK. `offset` counts bytes from the start of the stream. */
export class VmdkError extends Error {
  override readonly name = 'VmdkError';
  constructor(
    readonly problem: VmdkProblem,
    message: string,
    readonly offset: number,
    options?: { cause?: unknown },
  ) {
    super(`${message} (at byte ${offset})`, options);
  }
}
