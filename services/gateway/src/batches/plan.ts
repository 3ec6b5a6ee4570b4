import {
  JobError,
  JobOptions,
  type BatchRequest,
  type BatchVm,
  type BatchWave,
  type VcenterRequest,
} from '@hyper2kvm/contracts';
import type { WaveRow } from '../database/index.js';
import { serverKey } from '../vcenters/same-server.js';

/** The wave of a plain list of VMs. */
export const ONLY_WAVE = 'all';

type VmWish = Exclude<BatchVm, string>;

/** A VM as the batch wants it. */
export interface PlannedVm extends Pick<VmWish, 'source' | 'luks_keys'> {
  readonly vmName: string;
  readonly wave: string;
  readonly vcenter: VcenterRequest;
  /** The batch's, and over them its own. */
  readonly options: JobOptions;
  /** Where it stands in the request: `waves.1.vms.3`. */
  readonly field: string;
  /** Where its options come from, for messages: its own field, or empty where they are the batch's as they are. */
  readonly optionsField: string;
  /** The same of its vCenter. */
  readonly vcenterField: string;
}
export interface Plan {
  readonly waves: readonly WaveRow[];
  /** In the order of the request. */
  readonly vms: readonly PlannedVm[];
}

/**
 * Reads a request. What a VM says replaces what the batch says, field by field.
 * @throws JobError BAD_REQUEST naming the field
 */
export function planOf(request: BatchRequest): Plan {
  const waves = wavesOf(request);
  assertNames(waves);
  assertOrder(waves);
  const vms = waves.flatMap((wave, index) =>
    wave.vms.map((vm, place) => {
      const list = request.waves === undefined ? 'vms' : `waves.${index}.vms`;
      return planned(request, wave.name, vm, `${list}.${place}`);
    }),
  );
  assertOnce(vms);
  return { waves: waves.map(({ name, after, hooks }) => ({ name, after, hooks: hooks ?? null })), vms };
}

function wavesOf({ vms, waves }: BatchRequest): readonly BatchWave[] {
  if (vms !== undefined && waves !== undefined) throw bad('vms', 'not together with waves: a VM stands in one wave');
  if (waves !== undefined) return waves;
  if (vms === undefined) throw bad('vms', 'the VMs, as a list here or in waves');
  return [{ name: ONLY_WAVE, after: [], vms }];
}

function planned(request: BatchRequest, wave: string, vm: BatchVm, field: string): PlannedVm {
  const wish: VmWish = typeof vm === 'string' ? { vm_name: vm } : vm;
  const own = given(wish.options ?? {});
  const isOwn = Object.keys(own).length > 0;
  return {
    vmName: wish.vm_name,
    wave,
    vcenter: vcenterOf(request.vcenter, wish),
    ...(wish.source === undefined ? {} : { source: wish.source }),
    ...(wish.luks_keys === undefined ? {} : { luks_keys: wish.luks_keys }),
    options: isOwn ? merged(request.options, own, field) : request.options,
    field,
    optionsField: isOwn ? `${field}.` : '',
    vcenterField: wish.vcenter === undefined ? '' : `${field}.`,
  };
}

/** A server of its own comes with a login of its own: the batch's is not sent elsewhere. Files come from no vCenter. */
function vcenterOf(common: VcenterRequest, { vcenter, source }: VmWish): VcenterRequest {
  if (vcenter === undefined) return source === undefined ? common : {};
  return vcenter.server === undefined && source === undefined ? { ...common, ...given(vcenter) } : vcenter;
}

function merged(common: JobOptions, own: object, field: string): JobOptions {
  const parsed = JobOptions.safeParse({ ...common, ...own });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw bad([field, 'options', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'not valid');
}

const given = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

function assertNames(waves: readonly BatchWave[]): void {
  const known = new Set<string>();
  for (const [index, { name }] of waves.entries()) {
    if (known.has(name)) throw bad(`waves.${index}.name`, `there are two waves ${name}`);
    known.add(name);
  }
  for (const [index, { after }] of waves.entries())
    for (const [place, name] of after.entries())
      if (!known.has(name)) throw bad(`waves.${index}.after.${place}`, `there is no wave ${name}`);
}

/** Takes away what could begin, until nothing is left; what stays waits for itself. */
function assertOrder(waves: readonly BatchWave[]): void {
  let left = waves;
  for (;;) {
    const names = new Set(left.map(({ name }) => name));
    const next = left.filter(({ after }) => after.some((name) => names.has(name)));
    if (next.length === 0) return;
    if (next.length === left.length) {
      const circle = circleOf(next);
      const index = waves.findIndex(({ name }) => name === circle[0]);
      throw bad(`waves.${index}.after`, `these waves wait for each other: ${circle.join(' after ')}`);
    }
    left = next;
  }
}

/** Follows `after` among waves each of which waits for another of them, until a name comes again. */
function circleOf(waves: readonly BatchWave[]): string[] {
  const byName = new Map(waves.map((wave) => [wave.name, wave]));
  const path: string[] = [];
  let name = waves[0]?.name ?? '';
  while (!path.includes(name)) {
    path.push(name);
    name = byName.get(name)?.after.find((other) => byName.has(other)) ?? name;
  }
  return [...path.slice(path.indexOf(name)), name];
}

function assertOnce(vms: readonly PlannedVm[]): void {
  const first = new Map<string, string>();
  for (const { vmName, vcenter, source, field } of vms) {
    const place = source === undefined ? [serverOf(vcenter), vcenter.datacenter ?? ''] : ['files'];
    const key = JSON.stringify([...place, vmName]);
    const other = first.get(key);
    if (other !== undefined) throw bad(field, `${vmName} is named twice in the batch; first as ${other}`);
    first.set(key, field);
  }
}

const serverOf = ({ server = '' }: VcenterRequest): string => serverKey(server);

export const bad = (field: string, message: string): JobError => new JobError('BAD_REQUEST', `${field}: ${message}.`);
