import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Bus, SERVICE_CONFIG, WorkerState } from '@hyper2kvm/runtime';
import type { ExporterConfig } from './config.js';
import { Bandwidth, Slots } from './export/index.js';
import { VcenterSessions } from './sources/vsphere/index.js';

/** What all exports and questions of this worker share. */
@Injectable()
export class Shared implements OnModuleInit, OnApplicationShutdown {
  readonly sessions = new VcenterSessions();
  readonly diskSlots: Slots;
  readonly bandwidth: Bandwidth;
  private readonly stop = new AbortController();

  constructor(
    @Inject(SERVICE_CONFIG) private readonly config: ExporterConfig,
    private readonly bus: Bus,
    private readonly state: WorkerState,
  ) {
    this.diskSlots = new Slots(config.max_disks);
    this.bandwidth = new Bandwidth(config.bandwidth_bytes_per_second ?? null);
  }

  onModuleInit(): void {
    this.state.bandwidth = () => this.bandwidth.worker;
    // The runtime names itself `hyper2kvm/exporter/<worker>` on the bus.
    const workerId = this.bus.source.split('/').at(-1);
    this.bus.watchBandwidth(({ scope, id, bytesPerSecond }) => {
      if (scope === 'job') this.bandwidth.setJob(id, bytesPerSecond);
      else if (id === workerId)
        this.bandwidth.setWorker(bytesPerSecond ?? this.config.bandwidth_bytes_per_second ?? null);
    }, this.stop.signal);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.sessions.closeAll();
  }
}
