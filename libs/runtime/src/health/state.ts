/** What a service adds to its heartbeat. Injectable; the service fills it in. */
export class WorkerState {
  /** The limit of all its exports together, in bytes a second; null where there is none. */
  bandwidth: () => number | null = () => null;
}
