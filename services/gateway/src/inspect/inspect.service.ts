import {
  ConversionOptions,
  inspectDisks,
  JobError,
  localDisks,
  type DiskInspection,
  type ErrorCode,
  type Inspection,
  type InspectRequest,
} from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { InjectSections, type Sections } from '../config.js';
import {
  activeJobOf,
  AskedSources,
  assertTarget,
  busy,
  measuredRates,
  refusalOf,
  TargetCheck,
  type Asked,
} from '../jobs/index.js';
import { mergeConcerns } from './merge.js';
import { sourceConcerns } from './source-concerns.js';
import { leastFree, spaceConcern, spaceNeeded } from './space.js';

/** What a conversion would be refused for as well; everything else that goes wrong is of the inspection. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'GUEST_NO_OS',
  'GUEST_MULTIPLE_OS',
  'GUEST_ENCRYPTED',
  'GUEST_HIBERNATED',
  'GUEST_UNSUPPORTED',
  'GUEST_CORRUPT',
  'DRIVERS_MISSING',
  'CONVERSION_STEP',
]);

/** A look into the disks, or why there is none, or why a conversion would be refused. */
interface Look {
  readonly inspection?: DiskInspection;
  readonly reason?: string;
  readonly refusal?: JobError;
}

/** Says beforehand what a conversion would find, do and need. Nothing is changed, nothing is stored. */
@Injectable()
export class InspectService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly bus: Bus,
    private readonly sources: AskedSources,
    private readonly target: TargetCheck,
    @InjectSections() private readonly config: Sections,
  ) {}

  /** @throws JobError of the vCenter (login, VM, network) or of the files, NO_WORKER, BAD_REQUEST */
  async inspect(request: InspectRequest): Promise<Inspection> {
    const target = assertTarget(request.options, this.config.targets);
    const asked = await this.sources.describe(request);
    const { machine, options } = asked;
    const [look, answer, active, rates, workers] = await Promise.all([
      this.#look(asked),
      this.target.ask(asked),
      activeJobOf(this.dataSource.manager, machine.instance_uuid ?? null),
      measuredRates(this.dataSource),
      this.bus.workers(),
    ]);
    const { inspection = null } = look;
    const exporters = workers.filter(({ service }) => service === 'exporter');
    const free = leastFree([answer.freeBytes, ...exporters.map((worker) => worker.disk_free_bytes)]);
    const space = spaceNeeded(machine, options);
    const bytes = machine.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
    const refusal =
      look.refusal ?? refusalOf(answer.problems) ?? (active === null ? undefined : busy(asked.vmName, active));
    return {
      vm_name: asked.vmName,
      source_kind: asked.source.kind,
      machine,
      inspection,
      not_inspected: inspection === null ? (look.reason ?? look.refusal?.message ?? null) : null,
      concerns: mergeConcerns(
        [
          ...sourceConcerns({
            machine,
            options,
            target,
            inspected: inspection !== null,
            checked: answer.unchecked === undefined,
          }),
          ...spaceConcern(space, free),
        ],
        [...answer.concerns, ...(inspection?.concerns ?? [])],
      ),
      refusal: refusal === undefined ? null : shown(refusal),
      estimate: {
        export_seconds: rates.exportSecondsPerByte === null ? null : rates.exportSecondsPerByte * bytes,
        conversion_seconds: atLeast(rates.conversionSeconds, inspection?.seconds),
        space_bytes: space,
        free_bytes: free,
      },
    };
  }

  async #look({ source, machine, vmName, options }: Asked): Promise<Look> {
    if (source.kind === 'vsphere')
      return { reason: 'The disks of a VM on vCenter are looked into after their export.' };
    const { disks, unreadable } = await this.bus.request(localDisks, { source, vm_name: vmName });
    if (disks.length === 0) return { reason: unreadable ?? 'There are no disks that can be looked into.' };
    try {
      const wanted = ConversionOptions.parse(options);
      return { inspection: await this.bus.request(inspectDisks, { disks, machine, options: wanted }) };
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      if (error.code === 'NO_WORKER') return { reason: `The disks were not looked into: ${error.message}.` };
      if (REFUSALS.has(error.code)) return { refusal: error };
      throw error;
    }
  }
}

const shown = (error: JobError): NonNullable<Inspection['refusal']> => {
  const { code, message, advice } = error.toFailure();
  return { code, message, advice };
};

/** A conversion inspects as well: it takes no less than that took. */
const atLeast = (measured: number | null, inspected: number | undefined): number | null =>
  measured === null || inspected === undefined ? measured : Math.max(measured, inspected);
