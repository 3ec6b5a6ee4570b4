import { Inject, Injectable } from '@nestjs/common';
import {
  exportStarted,
  type CleanupCompleted,
  type CleanupRequested,
  type ExportCompleted,
  type ExportRequested,
} from '@hyper2kvm/contracts';
import { runGuarded, Sealer, SERVICE_CONFIG, spawnGuarded, type WorkContext } from '@hyper2kvm/runtime';
import { toSettings, type ExporterConfig } from './config.js';
import { toEndpoint } from './endpoints.js';
import { cleanUpJob, exportVm, removeJobFiles, type ExportPorts, type ExportRequest } from './export/index.js';
import { Shared } from './shared.js';

type WithoutFence<Fact> = Omit<Fact, 'job_id' | 'attempt' | 'worker'>;

/** Between the messages and the engine: opens the sealed password, hands over what is shared. */
@Injectable()
export class ExporterService {
  constructor(
    @Inject(SERVICE_CONFIG) private readonly config: ExporterConfig,
    private readonly sealer: Sealer,
    private readonly shared: Shared,
  ) {}

  async export(data: ExportRequested, work: WorkContext): Promise<WithoutFence<ExportCompleted>> {
    const request = {
      ...this.request(data, work),
      options: data.options,
      keepForRetry: data.keep_for_retry ?? false,
    };
    const exported = await exportVm(request, toSettings(this.config), {
      ...this.ports(work),
      started: async (machine) =>
        work.publish(exportStarted, {
          job_id: work.jobId,
          attempt: work.attempt,
          worker: work.workerId,
          started_at: new Date().toISOString(),
          machine,
        }),
    });
    return {
      artifact: exported.artifact,
      artifact_dir: exported.artifactDir,
      pool: this.config.artifact_pool,
      bytes_downloaded: exported.bytesDownloaded,
      duration_seconds: exported.durationSeconds,
      ...(exported.leftover === undefined ? {} : { leftover: exported.leftover }),
    };
  }

  async cleanUp(data: CleanupRequested, work: WorkContext): Promise<WithoutFence<CleanupCompleted>> {
    const settings = toSettings(this.config);
    const filesOnly = data.remove_files && data.files_only === true;
    if (filesOnly && (await removeJobFiles(work, settings, work)))
      return { removed_snapshots: [], removed_files: true };
    const { removedSnapshots, removedFiles } = await cleanUpJob(
      { ...this.request(data, work), removeFiles: data.remove_files },
      settings,
      this.ports(work),
    );
    return { removed_snapshots: removedSnapshots, removed_files: removedFiles };
  }

  private request(data: ExportRequested | CleanupRequested, work: WorkContext): ExportRequest {
    const common = { jobId: work.jobId, attempt: work.attempt, epoch: work.epoch, vmName: data.vm_name };
    if (data.source.kind !== 'vsphere') return { ...common, files: data.source };
    return {
      ...common,
      endpoint: toEndpoint(data.source, this.sealer),
      ...(data.moref === undefined ? {} : { moref: data.moref }),
    };
  }

  private ports(work: WorkContext): ExportPorts {
    const { sessions, diskSlots, bandwidth } = this.shared;
    return { work, children: { spawn: spawnGuarded, run: runGuarded }, sessions, diskSlots, bandwidth };
  }
}
