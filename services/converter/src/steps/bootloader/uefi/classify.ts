/** What an EFI program is, by texts that its makers put into it. */
export type EfiProgram = 'shim' | 'grub' | 'systemd-boot' | 'unified-kernel' | 'windows' | 'unknown';

/** @param content latin1. Signatures and SBAT do not tell them apart: shim's names GRUB, and Microsoft signs both. */
export function classify(content: string): EfiProgram {
  if (content.includes('#### LoaderInfo: systemd-boot')) return 'systemd-boot';
  if (content.includes('#### LoaderInfo: systemd-stub')) return 'unified-kernel';
  if (content.includes('UEFI SHIM')) return 'shim';
  if (content.includes('grub rescue>')) return 'grub';
  if (content.includes(wide('bootmgfw'))) return 'windows';
  return 'unknown';
}

/** As UTF-16LE, read as latin1. */
const wide = (text: string): string => Buffer.from(text, 'utf16le').toString('latin1');

/** File names of shim's BOOTX64.CSV (UTF-16LE, `shimx64.efi,debian,,This is the boot entry for debian`). */
export function csvPrograms(content: string): string[] {
  const text = Buffer.from(content, 'latin1')
    .toString('utf16le')
    .replace(/^\uFEFF/, '');
  const names = text.split('\n').map((line) => line.split(',')[0]?.trim() ?? '');
  return names.filter((name) => name !== '');
}
