import type { Source, VcenterRequest, VsphereSource } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { InjectSections, type Sections } from '../config.js';
import type { JobRow } from '../database/index.js';
import { resolveVcenter } from './resolve.js';

/** A vCenter as workers are told of it: the password is sealed. */
export interface ResolvedSource {
  readonly source: VsphereSource;
  /** The stored connection whose login it is; null where the login came with the request. */
  readonly connection: string | null;
}

/** Finds the login for a vCenter. */
@Injectable()
export class VcenterSources {
  constructor(
    private readonly sealer: Sealer,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** @throws JobError BAD_REQUEST naming what is missing */
  async of(request: VcenterRequest): Promise<ResolvedSource> {
    const { password, ...vcenter } = resolveVcenter(request, this.config.vsphere);
    return { source: { kind: 'vsphere', ...vcenter, password_sealed: this.sealer.seal(password) }, connection: null };
  }

  /**
   * The source of a job as it is now: a connection may have been given another password since the job was asked for.
   * @throws JobError NOT_FOUND where its connection is gone
   */
  async current(job: Pick<JobRow, 'source' | 'connection'>): Promise<Source> {
    return job.source;
  }
}
