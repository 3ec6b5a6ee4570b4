import path from 'node:path';
import { Flags } from '@oclif/core';
import { ImageFormat, type ConvertRequest } from '@hyper2kvm/contracts';
import { UsageError } from './errors.js';
import { given } from './given.js';
import { parseMemory } from './units.js';

/** What is moved: a VM of a vCenter, or files on the machine of the exporter. */
export const SOURCE_FLAGS = {
  vm: Flags.string({ description: 'VM at vCenter: its name, inventory path or managed object id.' }),
  disk: Flags.string({
    helpGroup: 'FILES',
    multiple: true,
    description: 'Disk image (VMDK, VHD, VHDX, qcow2, raw); several make one VM, in this order.',
  }),
  ova: Flags.string({ helpGroup: 'FILES', description: 'OVA archive, or OVF descriptor with its files beside it.' }),
  name: Flags.string({ helpGroup: 'FILES', description: 'Name of the VM; that of an OVA or OVF by default.' }),
  format: Flags.string({
    helpGroup: 'FILES',
    multiple: true,
    options: ImageFormat.options,
    description: 'Format of the disks: one for all, or one each in order [default: seen from the content].',
  }),
  checksum: Flags.string({
    helpGroup: 'FILES',
    multiple: true,
    description: 'ALGO:HEX (md5, sha1, sha256) of each file in order; one that differs is refused.',
  }),
  cpus: Flags.integer({ helpGroup: 'FILES', min: 1, max: 1024, description: 'CPUs of the VM [default: 2].' }),
  memory: Flags.string({ helpGroup: 'FILES', description: 'Memory of the VM, for example 4G [default: 2G].' }),
  firmware: Flags.string({
    helpGroup: 'FILES',
    options: ['bios', 'efi'],
    description: 'Firmware of the VM [default: what the partition table suggests].',
  }),
};

/** What those flags said, and the ones that only a VM of a vCenter can have. */
export interface SourceFlags {
  readonly vm?: string | undefined;
  readonly disk?: readonly string[] | undefined;
  readonly ova?: string | undefined;
  readonly name?: string | undefined;
  readonly format?: readonly string[] | undefined;
  readonly checksum?: readonly string[] | undefined;
  readonly cpus?: number | undefined;
  readonly memory?: string | undefined;
  readonly firmware?: string | undefined;
}

type LocalSource = NonNullable<ConvertRequest['source']>;
export interface ChosenSource {
  readonly vmName: string;
  /** Undefined: a VM of a vCenter. */
  readonly source: LocalSource | undefined;
}

/** Flags that say nothing about files, and flags that say nothing about a VM of a vCenter or an OVA. */
const OF_VCENTER = [
  'vcenter',
  'username',
  'datacenter',
  'ca-file',
  'thumbprint',
  'insecure',
  'password-file',
  'transport',
  'source-power',
];
const OF_FILES = ['name', 'format', 'checksum', 'cpus', 'memory', 'firmware'] as const;
const OF_DISKS = ['format', 'cpus', 'memory', 'firmware'] as const;

/**
 * Exactly one of --vm, --disk and --ova, with the flags that belong to it.
 * @param folder what relative paths are relative to
 * @throws UsageError naming the flag
 */
export function chooseSource(flags: SourceFlags, folder: string): ChosenSource {
  const chosen = (['vm', 'disk', 'ova'] as const).filter((name) => flags[name] !== undefined);
  if (chosen.length === 0)
    throw new UsageError('what is to be moved?', '--vm NAME, --disk FILE --name NAME, or --ova FILE');
  if (chosen.length > 1)
    throw new UsageError(`${chosen.map((name) => `--${name}`).join(' and ')} do not go together`, 'give one of them');
  if (flags.vm !== undefined) {
    refuse(flags, OF_FILES, '--vm', 'vCenter says it');
    return { vmName: flags.vm, source: undefined };
  }
  refuse(flags, OF_VCENTER, `--${chosen[0]}`, 'it is for VMs of a vCenter');
  return flags.ova === undefined ? disks(flags, flags.disk ?? [], folder) : ova(flags, flags.ova, folder);
}

function refuse(flags: object, names: readonly string[], beside: string, why: string): void {
  const found = names.find((name) => (flags as Record<string, unknown>)[name] !== undefined);
  if (found !== undefined) throw new UsageError(`--${found} has no meaning with ${beside}: ${why}`);
}

function disks(flags: SourceFlags, files: readonly string[], folder: string): ChosenSource {
  if (flags.name === undefined) throw new UsageError('--disk needs a name for the VM', '--name NAME');
  const formats = perDisk('--format', flags.format, files.length, true);
  const checksums = perDisk('--checksum', flags.checksum, files.length, false);
  return {
    vmName: flags.name,
    source: {
      kind: 'disks',
      disks: files.map((file, index) => ({
        path: absolute(file, folder, '--disk'),
        ...given('format', formats[index] as ImageFormat | undefined),
        ...given('checksum', checksums[index]),
      })),
      ...given('cpus', flags.cpus),
      ...given('memory_bytes', flags.memory === undefined ? undefined : parseMemory(flags.memory, '--memory')),
      ...given('firmware', flags.firmware as 'bios' | 'efi' | undefined),
    },
  };
}

function ova(flags: SourceFlags, file: string, folder: string): ChosenSource {
  refuse(flags, OF_DISKS, '--ova', 'its descriptor says it');
  const [checksum] = perDisk('--checksum', flags.checksum, 1, false);
  return {
    vmName: flags.name ?? path.basename(file).replace(/(?<=.)\.(ova|ovf)$/i, ''),
    source: { kind: 'ova', path: absolute(file, folder, '--ova'), ...given('checksum', checksum) },
  };
}

/** One value each, in order; or, where that makes sense, one for all. */
function perDisk(
  flag: string,
  values: readonly string[] | undefined,
  count: number,
  shared: boolean,
): readonly string[] {
  if (values === undefined || values.length === count) return values ?? [];
  const [first] = values;
  if (shared && values.length === 1 && first !== undefined) return Array.from({ length: count }, () => first);
  const files = `${count} file${count === 1 ? '' : 's'}`;
  throw new UsageError(
    `${flag} was given ${values.length} times for ${files}`,
    shared ? 'once, or once each' : 'once each, in order',
  );
}

/** The gateway wants absolute paths: the exporter's folder is another one. */
function absolute(file: string, folder: string, flag: string): string {
  if (file === '') throw new UsageError(`${flag}: an empty path`);
  return path.resolve(folder, file);
}
