import type { VcenterRequest, VsphereSource } from '@hyper2kvm/contracts';
import { Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { InjectSections, type Sections } from '../config.js';
import { resolveVcenter } from './vcenter.js';

/** A vCenter as workers are told of it: the password is sealed. */
@Injectable()
export class VcenterSources {
  constructor(
    private readonly sealer: Sealer,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** @throws JobError BAD_REQUEST naming what is missing */
  of(request: VcenterRequest): VsphereSource {
    const { password, ...vcenter } = resolveVcenter(request, this.config.vsphere);
    return { kind: 'vsphere', ...vcenter, password_sealed: this.sealer.seal(password) };
  }
}
