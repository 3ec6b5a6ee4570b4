/** This process among the workers. Injectable; the service fills in what it adds to its heartbeat. */
export class WorkerState {
  constructor(readonly workerId: string) {}

  /** The limit of all its exports together, in bytes a second; null where there is none. */
  bandwidth: () => number | null = () => null;
}
