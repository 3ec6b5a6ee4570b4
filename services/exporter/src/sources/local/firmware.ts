/*
 * A look at the first 64 KiB of a disk: a GUID partition table with an EFI system partition and without a BIOS boot partition
 * (GRUB's place on disks that start by BIOS) is a disk that starts by UEFI. UEFI specification, chapter 5.
 */
const EFI_SYSTEM = '28732ac11ff8d211ba4b00a0c93ec93b';
const BIOS_BOOT = '4861682149646f6e744e656564454649';
const MAX_ENTRIES = 256;

/** @param head the disk's first bytes; as many entries as lie within are looked at */
export function firmwareOf(head: Buffer): 'bios' | 'efi' {
  for (const sector of [512, 4096]) {
    if (head.length < sector + 92 || head.toString('latin1', sector, sector + 8) !== 'EFI PART') continue;
    const types = partitionTypes(head, sector);
    return types.has(EFI_SYSTEM) && !types.has(BIOS_BOOT) ? 'efi' : 'bios';
  }
  return 'bios';
}

function partitionTypes(head: Buffer, sector: number): Set<string> {
  const first = Number(head.readBigUInt64LE(sector + 72)) * sector;
  const entries = Math.min(head.readUInt32LE(sector + 80), MAX_ENTRIES);
  const bytes = head.readUInt32LE(sector + 84);
  const types = new Set<string>();
  if (bytes < 128) return types;
  for (let at = first; at + 16 <= head.length && types.size < entries && (at - first) / bytes < entries; at += bytes)
    types.add(head.toString('hex', at, at + 16));
  return types;
}
