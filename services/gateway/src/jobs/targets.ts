import { JobError, type JobOptions } from '@hyper2kvm/contracts';
import type { TargetConfig, TargetsConfig } from '@hyper2kvm/runtime';

/**
 * The configuration of a target; undefined where none is named.
 * @param field of the request, for the message
 * @throws JobError BAD_REQUEST that lists the targets there are
 */
export function targetOf(targets: TargetsConfig, name: string | undefined, field: string): TargetConfig | undefined {
  if (name === undefined) return undefined;
  if (Object.hasOwn(targets, name)) return targets[name];
  const names = Object.keys(targets);
  const there = names.length === 0 ? 'none is configured (section targets)' : `there are: ${names.join(', ')}`;
  throw new JobError('BAD_REQUEST', `${field}: there is no target ${name}; ${there}.`);
}

/** @throws JobError BAD_REQUEST where options of libvirt do not go together */
export function assertTarget(options: JobOptions, targets: TargetsConfig): TargetConfig | undefined {
  if (options.start === true && !options.to_libvirt && options.target === undefined)
    throw new JobError('BAD_REQUEST', 'options.start: needs options.to_libvirt or options.target.');
  return targetOf(targets, options.target, 'options.target');
}
