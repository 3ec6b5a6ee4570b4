import path from 'node:path';
import type { DisksSource, Nic } from '@hyper2kvm/contracts';
import { lookAtDisk, type DiskFile, type Looking } from './disk-file.js';
import { parseChecksum } from './files/digest.js';
import { SourceFile } from './files/source-file.js';
import { neededBytes, type LocalDisk, type LocalMachine, type Verification } from './local-machine.js';

const DEFAULTS = { cpus: 2, memoryBytes: 2 ** 31 } as const;
const NIC: Nic = { label: 'Network adapter 1', type: 'unknown' };

/** A machine of single image files. @throws JobError SOURCE_INVALID, PATH_DENIED */
export async function readDisks(source: DisksSource, vmName: string, looking: Looking): Promise<LocalMachine> {
  const found: { disk: LocalDisk; look: DiskFile; name: string }[] = [];
  const verifications: Verification[] = [];
  for (const [position, given] of source.disks.entries()) {
    const { look, identity } = await SourceFile.use(given.path, looking.allowed, async (file) => ({
      look: await lookAtDisk(file, given.format, looking),
      identity: file.identity,
    }));
    const { capacityBytes, content, files } = look;
    const digest = given.checksum === undefined ? undefined : parseChecksum(given.checksum);
    const inPass = digest !== undefined && content.kind === 'stream';
    const expected = inPass ? [digest] : [];
    if (digest !== undefined && !inPass)
      verifications.push({ path: identity.path, name: given.path, offset: 0, length: identity.sizeBytes, digest });
    const disk = { index: position + 1, capacityBytes, content, files, expected };
    found.push({ disk, look, name: path.basename(given.path) });
  }
  // The first disk is the one that the guest starts from.
  const firmware = source.firmware ?? found[0]?.look.firmware ?? 'bios';
  return {
    machine: {
      name: vmName,
      cpus: source.cpus ?? DEFAULTS.cpus,
      memory_bytes: source.memory_bytes ?? DEFAULTS.memoryBytes,
      firmware,
      secure_boot: false,
      disks: found.map(({ disk, look, name }) => ({
        index: disk.index,
        name,
        capacity_bytes: disk.capacityBytes,
        ...(look.usedBytes === undefined ? {} : { used_bytes: look.usedBytes }),
      })),
      nics: [NIC],
    },
    disks: found.map(({ disk }) => disk),
    files: [],
    verifications,
    concerns: [...assumptions(source, firmware), ...found.flatMap(({ look }) => look.concerns)],
    neededBytes: found.reduce((sum, { look }) => sum + neededBytes(look), 0),
  };
}

function assumptions(source: DisksSource, firmware: 'bios' | 'efi'): string[] {
  const table =
    firmware === 'efi' ? 'the first disk has an EFI system partition' : 'the first disk does not look like UEFI';
  return [
    ...(source.cpus === undefined ? [`disk files tell no number of CPUs: ${DEFAULTS.cpus} are assumed`] : []),
    ...(source.memory_bytes === undefined ? ['disk files tell no size of memory: 2 GiB are assumed'] : []),
    ...(source.firmware === undefined ? [`disk files tell no firmware: ${firmware} is assumed, as ${table}`] : []),
    'disk files tell no network cards: one without a known MAC address is assumed',
  ];
}
