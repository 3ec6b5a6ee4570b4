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
import { VcenterSources } from '../vcenters/index.js';

/** What a request asks for, as workers may be told of it: secrets are sealed. */
export interface Wanted {
  readonly source: Source;
  /** See Job.connection. */
  readonly connection: string | null;
  readonly options: JobOptions;
}

/** The same, and the VM that it is about. */
export interface Asked extends Wanted {
  /** As an exporter described it with this login, or from the files. */
  readonly machine: Machine;
  readonly vmName: string;
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

  /** What is wanted, before anybody has looked at the VM. @throws JobError BAD_REQUEST */
  async wanted(request: Omit<ConvertRequest, 'vm_name'>): Promise<Wanted> {
    const options = storedOptions(request.options, request.luks_keys, this.sealer);
    if (request.source === undefined) return { ...(await this.sources.of(request.vcenter)), options };
    assertLocal(request);
    return { source: request.source, connection: null, options };
  }

  /** @throws JobError of the vCenter (login, VM, network) or of the files, NO_WORKER, BAD_REQUEST */
  async describe(request: ConvertRequest): Promise<Asked> {
    const wanted = await this.wanted(request);
    const machine = await this.look(wanted.source, request.vm_name, wanted.connection);
    // Asked for by its path or id, a VM still has a name: that is what people look for.
    return { ...wanted, machine, vmName: wanted.source.kind === 'vsphere' ? machine.name : request.vm_name };
  }

  /** Has an exporter describe a VM. @throws JobError as `describe` */
  look(source: Source, vmName: string, connection: string | null): Promise<Machine> {
    return this.vcenter.watch(source, connection, this.bus.request(describeVm, { source, vm_name: vmName }));
  }
}

/** With the keys of LUKS volumes sealed: they are plain nowhere else. Who names a target wants the domain there. */
export function storedOptions(asked: JobOptions, keys: readonly LuksKey[] | undefined, sealer: Sealer): JobOptions {
  const options = asked.target === undefined ? asked : { ...asked, to_libvirt: true };
  if (keys === undefined || keys.length === 0) return options;
  return { ...options, luks_keys_sealed: sealer.seal(JSON.stringify(keys)) };
}

/** @throws JobError BAD_REQUEST where something is asked that only a vCenter can do */
function assertLocal({ vcenter, options }: Pick<ConvertRequest, 'vcenter' | 'options'>): void {
  const [setting] = Object.keys(vcenter);
  if (setting !== undefined)
    throw new JobError('BAD_REQUEST', `vcenter.${setting}: not together with source, which names files on the worker.`);
  if (options.transport !== 'auto')
    throw new JobError('BAD_REQUEST', 'options.transport: only of a VM on a vCenter, not of files.');
  if (options.source_power !== 'keep')
    throw new JobError('BAD_REQUEST', 'options.source_power: only of a VM on a vCenter, not of files.');
}
