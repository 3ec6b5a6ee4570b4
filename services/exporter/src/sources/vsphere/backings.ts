import type { Described } from './describe.js';
import { devicesOf, isDisk, obstacle, splitFile } from './devices.js';
import { readDisks } from './machine.js';
import { placeOf } from './places.js';
import { readMany, readProperties } from './properties.js';
import type { VimSession } from './session.js';
import type { CallOptions } from './soap-http.js';
import { child, flag, number, ref, text, typeName, type Ref } from './values.js';

/** A disk's file as a snapshot has it. */
export interface DiskBacking {
  readonly index: number;
  /** The device's key. */
  readonly key: number;
  /** `type` as vCenter names it: VMFS, NFS, NFS41, vsan, VVOL. */
  readonly datastore: { readonly name: string; readonly ref: Ref | undefined; readonly type: string | undefined };
  /** `Europe/DC0`: what a datastore's URL calls `dcPath`. */
  readonly datacenterPath: string;
  /** `web/web.vmdk`, on the datastore. */
  readonly vmdkPath: string;
  /** `web/web-flat.vmdk`: the content, where there is such a file. */
  readonly flatPath: string;
  readonly hasParent: boolean;
  readonly thin: boolean;
  readonly capacityBytes: number;
  /** Why the datastore's files cannot be read in place of an export, as the end of a sentence; undefined where they can. */
  readonly ineligible: string | undefined;
}

const OBJECT_STORES = new Set(['vsan', 'vsand', 'vvol', 'pmem']);

/**
 * What stands behind the disks of a snapshot. The VM itself writes into deltas by then; the snapshot's files rest.
 * @throws VimFault, isGone when the snapshot is gone
 */
export async function readBackings(
  session: VimSession,
  vm: Described['vm'],
  snapshot: Ref,
  options: CallOptions = {},
): Promise<DiskBacking[]> {
  const [properties, place] = await Promise.all([
    readProperties(session, snapshot, ['config.hardware'], options),
    placeOf(session, vm, options),
  ]);
  const devices = new Map(
    devicesOf(properties)
      .filter(isDisk)
      .map((device) => [number(device, 'key') ?? 0, device]),
  );
  const disks = readDisks(properties).map((disk) => ({ disk, backing: child(devices.get(disk.key), 'backing') }));
  const types = await datastoreTypes(
    session,
    disks.flatMap(({ backing }) => ref(backing, 'datastore') ?? []),
    options,
  );
  return disks.map(({ disk, backing }) => {
    const file = splitFile(text(backing, 'fileName'));
    const store = ref(backing, 'datastore');
    const type = store === undefined ? undefined : types.get(store.id);
    const vmdkPath = file?.path ?? '';
    return {
      index: disk.index,
      key: disk.key,
      datastore: { name: file?.datastore ?? '', ref: store, type },
      datacenterPath: (place.datacenterPath ?? '').replace(/^\//, ''),
      vmdkPath,
      flatPath: vmdkPath.replace(/(\.vmdk)?$/, '-flat.vmdk'),
      hasParent: child(backing, 'parent') !== undefined,
      thin: flag(backing, 'thinProvisioned'),
      capacityBytes: disk.capacity_bytes,
      ineligible: ineligible(backing, type),
    };
  });
}

function ineligible(backing: unknown, datastoreType: string | undefined): string | undefined {
  const kind = typeName(backing) ?? 'backing of an unknown kind';
  if (!kind.endsWith('FlatVer2BackingInfo')) return `its files are of another kind than flat (${kind})`;
  if (child(backing, 'parent') !== undefined)
    return 'it stands on another disk (an earlier snapshot, or a linked clone)';
  if (splitFile(text(backing, 'fileName')) === undefined) return 'its file is not known';
  if (flag(backing, 'split')) return 'its content is split into several files';
  if (OBJECT_STORES.has(datastoreType?.toLowerCase() ?? ''))
    return `its datastore (${datastoreType ?? ''}) keeps no files that can be read`;
  return obstacle(backing);
}

async function datastoreTypes(
  session: VimSession,
  datastores: readonly Ref[],
  options: CallOptions,
): Promise<Map<string, string | undefined>> {
  const read = await readMany(session, datastores, ['summary.type'], options);
  return new Map(read.map(({ ref: { id }, properties }) => [id, text(properties['summary.type'])]));
}
