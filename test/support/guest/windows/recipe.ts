/**
 * A phony Windows Server 2022: an NTFS disk with what inspection and virt-v2v look for, made of files of our own. It
 * does not boot. Everything here is data, and the cache key is the hash of it: a changed recipe is another guest.
 */
import { createHash } from 'node:crypto';
import { DISK_ID, SOFTWARE, system } from './hives.js';
import { makeExecutable } from './pe.js';
import { makeHive } from './regf.js';

const MIB = 1024 ** 2;
const SECTOR_BYTES = 512;
/** The partitions "System Reserved" and C:, in bytes. virt-v2v wants 100 MiB free on C:. */
export const SYSTEM_OFFSET = 33 * MIB;
export const CAPACITY_BYTES = 320 * MIB;
export const HOSTNAME = 'orders-win';

/** In the second page of hiberfil.sys, whose first is empty while Windows is not hibernated: tests find the file by it. */
export const HIBERFIL_MARK = 'phony hiberfil.sys of a Windows that was shut down';
export const HIBERFIL_PAGE_BYTES = 4096;

const hiberfil = (): Buffer => {
  const file = Buffer.alloc(2 * HIBERFIL_PAGE_BYTES);
  file.write(HIBERFIL_MARK, HIBERFIL_PAGE_BYTES, 'latin1');
  return file;
};

/** Path on C: → content. */
export const files = (): Record<string, Buffer> => ({
  'Windows/System32/config/SOFTWARE': makeHive(SOFTWARE),
  'Windows/System32/config/SYSTEM': makeHive(system(SYSTEM_OFFSET)),
  'Windows/System32/config/SAM': makeHive({ SAM: {} }),
  'Windows/System32/config/DEFAULT': makeHive({ 'Control Panel': {} }),
  'Windows/System32/cmd.exe': makeExecutable(),
  'Windows/System32/kernel32.dll': makeExecutable(),
  'Windows/System32/drivers/pvscsi.sys': makeExecutable(),
  'Windows/explorer.exe': makeExecutable(),
  'Windows/inf/layout.inf': Buffer.from('[Version]\r\nSignature="$WINDOWS NT$"\r\n'),
  'Windows/Temp/empty.txt': Buffer.alloc(0),
  'Program Files/Orders/orders.exe': makeExecutable(),
  'Program Files/VMware/VMware Tools/vmtoolsd.exe': makeExecutable(),
  'hiberfil.sys': hiberfil(),
});

/** guestfish commands that turn a folder with these files into the disk. */
export function diskCommands(folder: string): string[][] {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(DISK_ID);
  const sector = (bytes: number): string => String(bytes / SECTOR_BYTES);
  return [
    ['run'],
    ['part-init', '/dev/sda', 'mbr'],
    ['part-add', '/dev/sda', 'p', sector(MIB), String(SYSTEM_OFFSET / SECTOR_BYTES - 1)],
    ['part-add', '/dev/sda', 'p', sector(SYSTEM_OFFSET), String((CAPACITY_BYTES - MIB) / SECTOR_BYTES - 1)],
    ['part-set-bootable', '/dev/sda', '1', 'true'],
    ['part-set-mbr-id', '/dev/sda', '1', '0x07'],
    ['part-set-mbr-id', '/dev/sda', '2', '0x07'],
    ['pwrite-device', '/dev/sda', id.toString('latin1'), '0x1b8'],
    ['mkfs', 'ntfs', '/dev/sda1', 'label:System Reserved'],
    ['mkfs', 'ntfs', '/dev/sda2'],
    ['mount', '/dev/sda2', '/'],
    ...['Windows', 'Program Files', 'hiberfil.sys'].map((name) => ['copy-in', `${folder}/${name}`, '/']),
    ['umount-all'],
  ];
}

/** SHA-256 of the whole recipe, hexadecimal. */
export function recipeHash(): string {
  const hash = createHash('sha256').update(JSON.stringify([CAPACITY_BYTES, diskCommands('files')]));
  for (const [name, content] of Object.entries(files())) hash.update(`\0${name}\0`).update(content);
  return hash.digest('hex');
}
