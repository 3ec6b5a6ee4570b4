import {
  describeVm,
  JobError,
  type ConvertRequest,
  type JobOptions,
  type LuksKey,
  type Machine,
  type Source,
} from '@hyper2kvm/contracts';
import { Bus, Sealer } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { VcenterWatch } from '../system/vcenter-watch.js';
import { VcenterSources } from './vcenter-sources.js';

/** What a request asks for, as workers may be told of it: secrets are sealed. */
export interface Asked {
  readonly source: Source;
  /** As an exporter described it with this login, or from the files. */
  readonly machine: Machine;
  readonly vmName: string;
  readonly options: JobOptions;
}

/** Reads a request to convert or to inspect, and asks an exporter for the VM. */
@Injectable()
export class AskedSources {
  constructor(
    private readonly bus: Bus,
    private readonly sources: VcenterSources,
    private readonly sealer: Sealer,
    private readonly vcenter: VcenterWatch,
  ) {}

  /** @throws JobError of the vCenter (login, VM, network) or of the files, NO_WORKER, BAD_REQUEST */
  async describe(request: ConvertRequest): Promise<Asked> {
    const source = this.#source(request);
    const described = this.bus.request(describeVm, { source, vm_name: request.vm_name });
    const machine = await (source.kind === 'vsphere' ? this.vcenter.watch(described) : described);
    return {
      source,
      machine,
      // Asked for by its path or id, a VM still has a name: that is what people look for.
      vmName: source.kind === 'vsphere' ? machine.name : request.vm_name,
      options: storedOptions(request.options, request.luks_keys, this.sealer),
    };
  }

  #source(request: ConvertRequest): Source {
    if (request.source === undefined) return this.sources.of(request.vcenter);
    assertLocal(request);
    return request.source;
  }
}

/** With the keys of LUKS volumes sealed: they are plain nowhere else. Who names a target wants the domain there. */
export function storedOptions(asked: JobOptions, keys: readonly LuksKey[] | undefined, sealer: Sealer): JobOptions {
  const options = asked.target === undefined ? asked : { ...asked, to_libvirt: true };
  if (keys === undefined || keys.length === 0) return options;
  return { ...options, luks_keys_sealed: sealer.seal(JSON.stringify(keys)) };
}

/** @throws JobError BAD_REQUEST where something is asked that only a vCenter can do */
function assertLocal({ vcenter, options }: ConvertRequest): void {
  const [setting] = Object.keys(vcenter);
  if (setting !== undefined)
    throw new JobError('BAD_REQUEST', `vcenter.${setting}: not together with source, which names files on the worker.`);
  if (options.transport !== 'auto')
    throw new JobError('BAD_REQUEST', 'options.transport: only of a VM on a vCenter, not of files.');
  if (options.source_power !== 'keep')
    throw new JobError('BAD_REQUEST', 'options.source_power: only of a VM on a vCenter, not of files.');
}
