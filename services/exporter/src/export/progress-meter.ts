import type { DiskProgress, JobProgress, Machine } from '@hyper2kvm/contracts';

/** The rate is that of the last seconds: an old one says nothing about the time left. */
const WINDOW_MS = 10_000;
/** Kept back until everything is verified. */
const UNVERIFIED_PERCENT = 99;

/** Progress of a job's export in bytes of capacity: holes count once they are passed. */
export class ProgressMeter {
  private disks: DiskProgress[] = [];
  private readonly samples: { time: number; done: number }[] = [];

  constructor(machine?: Machine) {
    if (machine !== undefined) this.begin(machine);
  }

  /** Nothing is known of the disks before. */
  begin(machine: Machine): void {
    this.disks = machine.disks.map(({ index, name, capacity_bytes }) => ({
      index,
      name,
      capacity_bytes,
      done_bytes: 0,
      bytes_downloaded: 0,
      state: 'waiting',
    }));
  }

  /** @param time ms of a monotonic clock */
  update(index: number, change: Partial<Omit<DiskProgress, 'index' | 'name' | 'capacity_bytes'>>, time: number): void {
    const disk = this.disks.find((candidate) => candidate.index === index);
    if (disk === undefined) return;
    Object.assign(disk, change);
    if (disk.state === 'done') disk.done_bytes = disk.capacity_bytes;
    this.samples.push({ time, done: this.done });
    while (this.samples.length > 2 && time - (this.samples[0]?.time ?? time) > WINDOW_MS) this.samples.shift();
  }

  get percent(): number {
    if (this.disks.length === 0) return 0;
    if (this.disks.every(({ state }) => state === 'done')) return 100;
    return Math.min(UNVERIFIED_PERCENT, Math.floor((1000 * this.done) / this.capacity) / 10);
  }

  /** @param phase cleanup: nothing flows any more, so there is no rate */
  report(phase: 'export' | 'cleanup' = 'export'): Omit<JobProgress, 'job_id' | 'attempt' | 'time'> {
    const rate = this.rate;
    return {
      phase,
      percent_complete: this.percent,
      ...(rate === undefined || phase === 'cleanup'
        ? {}
        : { bytes_per_second: Math.round(rate), eta_seconds: Math.ceil((this.capacity - this.done) / rate) }),
      disks: this.disks.map((disk) => ({ ...disk })),
    };
  }

  private get done(): number {
    return this.disks.reduce((sum, disk) => sum + disk.done_bytes, 0);
  }

  private get capacity(): number {
    return Math.max(
      1,
      this.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0),
    );
  }

  private get rate(): number | undefined {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.time - first.time < 500) return undefined;
    const rate = ((last.done - first.done) / (last.time - first.time)) * 1000;
    return rate > 0 ? rate : undefined;
  }
}
