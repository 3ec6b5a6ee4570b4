/** Every block device of the appliance and what blkid knows of it, in one call. */
import { posix } from 'node:path';
import type { Appliance } from '../appliance.js';
import type { FileSystem } from '../facts.js';
import type { BlockDevice } from './block-device.js';
import { diskName } from './disk-name.js';

/**
 * Shell of the appliance (dash; no single quotes, see `Appliance.script`). Everything but blkid is built in: each process
 * costs 30 ms without KVM. Given several devices, blkid ends at the first that holds nothing.
 */
export const SURVEY_SCRIPT = `
for d in /sys/class/block/*; do
  n=\${d##*/}
  case $n in ram*|loop*|sr*|fd*|nbd*|zram*) continue;; esac
  read -r size < $d/size || continue
  [ "$size" = 0 ] && continue
  echo "KERNEL=$n"
  for s in $d/device/scsi_device/*; do [ -e "$s" ] && echo "SCSI=\${s##*/}"; done
  for s in $d/slaves/*; do [ -e "$s" ] && echo "PART=\${s##*/}"; done
  if [ -e $d/dm/name ]; then
    read -r v < $d/dm/name; echo "DM_NAME=$v"
    v=; read -r v < $d/dm/uuid; echo "DM_UUID=$v"
  fi
  a="$a /dev/$n"
done
echo
for n in $a; do echo; blkid -p -o export $n; done
true
`;

/** Parts and internals of LVM (`-real`, `-tpool`, `_tdata`): a volume that a guest sees has no suffix after its UUID. */
const LVM_INTERNAL = /^LVM-[A-Za-z0-9]{64}-/;

type Record_ = ReadonlyMap<string, readonly string[]>;

/**
 * @param disks how many of the appliance's disks are the guest's: those after them are not
 */
export function parseSurvey(output: string, disks: number): BlockDevice[] {
  const known: Record_[] = [];
  const contents = new Map<string, FileSystem>();
  for (const record of records(output)) {
    if (record.has('KERNEL')) known.push(record);
    const name = first(record, 'DEVNAME');
    if (name !== undefined) addContent(contents, name, record);
  }
  const targets = new Map(known.map((record) => [first(record, 'KERNEL') ?? '', targetOf(record)]));
  return known.flatMap((record): BlockDevice[] => {
    const kernel = first(record, 'KERNEL') ?? '';
    const dmName = first(record, 'DM_NAME');
    const dmUuid = first(record, 'DM_UUID');
    const disk = scsiName(kernel, targets);
    if ((disk?.target ?? 0) >= disks || (dmUuid !== undefined && LVM_INTERNAL.test(dmUuid))) return [];
    const device = dmName === undefined ? `/dev/${disk?.name ?? kernel}` : mappedDevice(dmName, dmUuid ?? '');
    const found = contents.get(`/dev/${kernel}`);
    return [
      {
        kernel,
        device,
        parts: record.get('PART') ?? [],
        ...(dmName === undefined ? {} : { dmName }),
        ...(dmUuid === undefined ? {} : { dmUuid }),
        ...(found === undefined ? {} : { content: { ...found, device } }),
      },
    ];
  });
}

function addContent(contents: Map<string, FileSystem>, device: string, record: Record_): void {
  const type = first(record, 'TYPE');
  if (type === undefined) return;
  const facts: [keyof FileSystem, string][] = [
    ['uuid', 'UUID'],
    ['label', 'LABEL'],
    ['partUuid', 'PART_ENTRY_UUID'],
    ['partLabel', 'PART_ENTRY_NAME'],
    ['partType', 'PART_ENTRY_TYPE'],
  ];
  const told = facts.map(([key, name]) => [key, first(record, name)]).filter(([, value]) => value !== undefined);
  contents.set(device, { device, type, ...Object.fromEntries(told) });
}

/** `KEY=value` lines; the values of blkid have a backslash before what a shell would take for something else. */
function* records(output: string): Generator<Record_> {
  let current = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    if (key === 'KERNEL' || key === 'DEVNAME') {
      if (current.size > 0) yield current;
      current = new Map();
    }
    const plain = current.has('DEVNAME') || key === 'DEVNAME' ? value.replaceAll(/\\(.)/g, '$1') : value;
    current.set(key, [...(current.get(key) ?? []), plain]);
  }
  if (current.size > 0) yield current;
}

const first = (record: Record_, key: string): string | undefined => record.get(key)?.[0];

const targetOf = (record: Record_): number | undefined => {
  const target = /^\d+:\d+:(\d+):\d+$/.exec(first(record, 'SCSI') ?? '')?.[1];
  return target === undefined ? undefined : Number(target);
};

/**
 * libguestfs puts each disk at a SCSI target of its own, in order, the appliance's last. The kernel may find them in
 * another: libguestfs names them by their targets, and so does this.
 */
function scsiName(
  kernel: string,
  targets: ReadonlyMap<string, number | undefined>,
): { readonly name: string; readonly target: number } | undefined {
  const [, disk = '', partition = ''] = /^(sd[a-z]+)(\d*)$/.exec(kernel) ?? [];
  const target = targets.get(disk);
  return target === undefined ? undefined : { name: `${diskName(target)}${partition}`, target };
}

/** LVM joins the names of group and volume by a dash, and doubles the dashes in them. */
function mappedDevice(name: string, uuid: string): string {
  const [, group, volume] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(name) ?? [];
  if (!uuid.startsWith('LVM-') || group === undefined || volume === undefined) return posix.join('/dev/mapper', name);
  return posix.join('/dev', group.replaceAll('--', '-'), volume.replaceAll('--', '-'));
}

export const survey = async (appliance: Appliance, disks: number): Promise<BlockDevice[]> =>
  parseSurvey(await appliance.script(SURVEY_SCRIPT), disks);
