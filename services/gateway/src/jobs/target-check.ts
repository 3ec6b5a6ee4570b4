import { checkTarget, ConversionOptions, JobError, type Concern, type Failure } from '@hyper2kvm/contracts';
import { Bus } from '@hyper2kvm/runtime';
import { Injectable } from '@nestjs/common';
import type { JobRow } from '../database/index.js';
import type { Outgoing } from '../outbox/index.js';
import type { Asked } from './asked-source.js';
import * as messages from './messages.js';

/** What a converter said of the place where the VM is to go. */
export interface TargetAnswer {
  /** Each of them would stop the job. */
  readonly problems: readonly Failure[];
  readonly concerns: readonly Concern[];
  /** Free where the output goes and where overlays lie, the smaller; undefined where nobody looked. */
  readonly freeBytes: number | undefined;
  /** Why nobody looked. */
  readonly unchecked: string | undefined;
}

/** Asks a converter whether the VM can go where it is to go, before anything is exported. */
@Injectable()
export class TargetCheck {
  constructor(private readonly bus: Bus) {}

  /** @throws JobError NO_WORKER where the job is to end in a libvirt and no converter answers */
  async ask({ machine, vmName, options }: Pick<Asked, 'machine' | 'vmName' | 'options'>): Promise<TargetAnswer> {
    // Nobody has to open disks for this answer.
    const { luks_keys_sealed: _keys, ...rest } = ConversionOptions.parse(options);
    try {
      const answer = await this.bus.request(checkTarget, { machine, vm_name: vmName, options: rest });
      const { problems, concerns, output_free_bytes: output, work_free_bytes: work } = answer;
      return { problems, concerns, freeBytes: Math.min(output, work), unchecked: undefined };
    } catch (error) {
      if (!(error instanceof JobError) || error.code !== 'NO_WORKER' || options.to_libvirt) throw error;
      return { problems: [], concerns: [], freeBytes: undefined, unchecked: error.message };
    }
  }
}

/** All problems as one failure: the first one's code, the messages of all. */
export function refusalOf([first, ...others]: readonly Failure[]): JobError | undefined {
  if (first === undefined) return undefined;
  return new JobError(first.code, [first, ...others].map(({ message }) => message).join(' '), {
    retryable: first.retryable,
  });
}

/** Lines of the job's log about the look at its target. */
export function targetNotes(job: JobRow, answer: TargetAnswer, now: Date): Outgoing[] {
  const line = (level: 'info' | 'warn', message: string): Outgoing =>
    messages.log(job, { level, phase: 'conversion', message }, now);
  return [
    ...(answer.unchecked === undefined
      ? []
      : [line('info', `The target was not looked at before: ${answer.unchecked}.`)]),
    ...answer.concerns.map(({ severity, message, advice }) =>
      line(severity === 'info' ? 'info' : 'warn', `${message} ${advice}`),
    ),
  ];
}
