/** A phony virtio-win: the layout of its ISO, with files that only look like drivers. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeExecutable } from './pe.js';

/** Folder on the ISO, base name of its files, PCI ids, device class. */
const DRIVERS = [
  ['viostor', 'viostor', ['VEN_1AF4&DEV_1001', 'VEN_1AF4&DEV_1042'], 'SCSIAdapter'],
  ['vioscsi', 'vioscsi', ['VEN_1AF4&DEV_1004', 'VEN_1AF4&DEV_1048'], 'SCSIAdapter'],
  ['NetKVM', 'netkvm', ['VEN_1AF4&DEV_1000', 'VEN_1AF4&DEV_1041'], 'Net'],
  ['Balloon', 'balloon', ['VEN_1AF4&DEV_1002', 'VEN_1AF4&DEV_1045'], 'System'],
  ['viorng', 'viorng', ['VEN_1AF4&DEV_1005', 'VEN_1AF4&DEV_1044'], 'System'],
] as const;

/**
 * @param versions folders of Windows versions, as virtio-win names them: `2k22`, `w10`
 * @param drivers those that are there; default: all
 */
export async function makeVirtioWin(
  folder: string,
  versions: readonly string[],
  drivers: readonly string[] = DRIVERS.map(([name]) => name),
): Promise<void> {
  for (const [name, file, ids, deviceClass] of DRIVERS) {
    if (!drivers.includes(name)) continue;
    for (const version of versions) {
      const place = path.join(folder, name, version, 'amd64');
      await mkdir(place, { recursive: true });
      await writeFile(path.join(place, `${file}.sys`), driver(`${file} ${version}`));
      await writeFile(path.join(place, `${file}.inf`), inf(file, ids, deviceClass));
      await writeFile(path.join(place, `${file}.cat`), `phony catalogue of ${file} ${version}`);
    }
  }
  await mkdir(path.join(folder, 'guest-agent'), { recursive: true });
  await writeFile(path.join(folder, 'guest-agent', 'qemu-ga-x86_64.msi'), 'phony installer of the guest agent');
}

/** Tools that virt-v2v copies into Windows, in a folder for VIRT_TOOLS_DATA_DIR. */
export async function makeVirtTools(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'rhsrvany.exe'), makeExecutable());
}

/** What a phony driver says at its end, so that a test can tell which version of it was taken. */
const driver = (mark: string): Buffer => Buffer.concat([makeExecutable(), Buffer.from(`phony ${mark}`)]);

const inf = (file: string, ids: readonly string[], deviceClass: string): string =>
  [
    '[Version]',
    'Signature="$WINDOWS NT$"',
    `Class=${deviceClass}`,
    'Provider=%Provider%',
    `CatalogFile=${file}.cat`,
    'DriverVer=01/17/2024,100.95.104.24800',
    '[Manufacturer]',
    '%Provider%=Devices,NTamd64.10.0',
    '[Devices.NTamd64.10.0]',
    ...ids.map((id) => `%Device%=Install,PCI\\${id}`),
    '[Strings]',
    'Provider="Nobody"',
    `Device="Phony ${file}"`,
    '',
  ].join('\r\n');
