/** What the bench and the processes that it measures tell each other. */

export type Way = 'ours' | 'virt-v2v';

export interface ConvertJob {
  way: Way;
  /** The guest as an export left it, a qcow2 of its own for this run: ours commits to it. */
  image: string;
  /** For everything else; removed by the bench. */
  folder: string;
}

/** One line of JSON, the last that the process prints. */
export interface Done {
  wallSeconds: number;
  /** The converted image. */
  output: string;
  /** Seconds of each step, where they are known. */
  steps: Record<string, number>;
}
