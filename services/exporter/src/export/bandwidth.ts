/** What a running transfer is told of its limit. */
export interface RateControl {
  setRate(bytesPerSecond: number | null): void;
}

interface Running {
  readonly jobId: string;
  readonly control: RateControl;
}

/** Splits the limits of the worker and of each job over the disks that run now, and again whenever one begins, ends or a limit changes. */
export class Bandwidth {
  private readonly running = new Set<Running>();
  /** As jobs that run here were asked for. */
  private readonly asked = new Map<string, number | null>();
  /** As changed since then, also of jobs that have not begun here. It wins. */
  private readonly changed = new Map<string, number | null>();

  constructor(private workerLimit: number | null = null) {}

  /** A job begins. @returns to be called at its end */
  begin(jobId: string, bytesPerSecond: number | null): () => void {
    this.asked.set(jobId, bytesPerSecond);
    return () => {
      this.asked.delete(jobId);
      this.changed.delete(jobId);
    };
  }

  setJob(jobId: string, bytesPerSecond: number | null): void {
    // A limit that is taken away from a job that is not here is one to forget: its key goes when the job ends.
    if (bytesPerSecond === null && !this.asked.has(jobId)) this.changed.delete(jobId);
    else this.changed.set(jobId, bytesPerSecond);
    this.share();
  }

  setWorker(bytesPerSecond: number | null): void {
    this.workerLimit = bytesPerSecond;
    this.share();
  }

  get worker(): number | null {
    return this.workerLimit;
  }

  /** A disk of a job begins. @returns to be called at its end */
  add(jobId: string, control: RateControl): () => void {
    const entry = { jobId, control };
    this.running.add(entry);
    this.share();
    return () => {
      if (this.running.delete(entry)) this.share();
    };
  }

  private share(): void {
    const running = [...this.running];
    const rates = splitBandwidth(
      running.map(({ jobId }) => jobId),
      this.workerLimit,
      new Map([...this.asked, ...this.changed]),
    );
    for (const [position, { control }] of running.entries()) control.setRate(rates[position] ?? null);
  }
}

/**
 * Rates of running disks, given the job of each: a job's limit is split evenly over its disks, and what they cannot use of the
 * worker's goes to the others. `null` is no limit.
 */
export function splitBandwidth(
  disks: readonly string[],
  worker: number | null,
  jobs: ReadonlyMap<string, number | null>,
): (number | null)[] {
  const caps = disks.map((job) => {
    const limit = jobs.get(job) ?? null;
    return limit === null ? Number.POSITIVE_INFINITY : limit / disks.filter((other) => other === job).length;
  });
  let left = worker ?? Number.POSITIVE_INFINITY;
  let open = disks.length;
  const rates: (number | null)[] = disks.map(() => null);
  // Those that can take least are served first: nothing that they leave is lost.
  for (const position of [...caps.keys()].toSorted((a, b) => (caps[a] ?? 0) - (caps[b] ?? 0))) {
    const rate = Math.min(caps[position] ?? 0, left / open);
    left -= rate;
    open--;
    rates[position] = Number.isFinite(rate) ? Math.max(1, Math.floor(rate)) : null;
  }
  return rates;
}
