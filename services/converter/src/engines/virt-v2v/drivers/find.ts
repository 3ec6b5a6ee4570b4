import path from 'node:path';
import { archFolder, virtioFolders, type WindowsRelease } from '../windows/release.js';

/** The drivers for one Windows. */
export interface Drivers {
  /** Base name of each .inf, lower case: `viostor`, `netkvm`. */
  readonly names: readonly string[];
  /** Their files: name in lower case → path in virtio-win. */
  readonly files: ReadonlyMap<string, string>;
  /** Folder of the block driver's release: `2k22`. */
  readonly release: string | undefined;
}

/** In virtio-win's RPM folders are named in full. */
const LONG_NAMES: Readonly<Record<string, string>> = { amd64: 'amd64', x86: 'i386' };

/**
 * The drivers in virtio-win for a Windows, each from the best folder that has it. The layouts of the ISO
 * (`viostor/2k22/amd64/viostor.inf`) and of the RPM (`drivers/amd64/Win2k22/viostor.inf`, `drivers/by-os/…`) are known:
 * a file counts where its path names release and processor.
 * @param files paths in virtio-win
 */
export function findDrivers(files: readonly string[], release: WindowsRelease): Drivers {
  const arch = archFolder(release.arch);
  const folders = arch === undefined ? [] : byFolder(files, [arch, LONG_NAMES[arch] ?? arch]);
  const names = new Set<string>();
  const found = new Map<string, string>();
  let blockRelease: string | undefined;
  for (const wanted of virtioFolders(release)) {
    for (const { elements, paths } of folders) {
      if (!elements.some((element) => isRelease(element, wanted))) continue;
      const drivers = paths.filter((file) => extension(file) === '.inf').map(baseName);
      if (drivers.every((name) => names.has(name))) continue;
      for (const name of drivers) names.add(name);
      if (drivers.includes('viostor')) blockRelease ??= wanted;
      for (const file of paths) {
        const name = path.posix.basename(file).toLowerCase();
        // Symbols for debuggers, larger than all the rest.
        if (extension(file) !== '.pdb' && !found.has(name)) found.set(name, file);
      }
    }
  }
  return { names: [...names].toSorted(), files: found, release: blockRelease };
}

/** Installer of QEMU's guest agent, undefined where there is none. */
export function findAgent(files: readonly string[], arch: string): string | undefined {
  const names = arch === 'i386' ? ['qemu-ga-i386.msi', 'qemu-ga-x86.msi'] : ['qemu-ga-x86_64.msi', 'qemu-ga-x64.msi'];
  return files.find((file) => names.some((name) => plain(name) === plain(path.posix.basename(file))));
}

/** Where an ISO has plain names alone, they have no '-'. */
const plain = (name: string): string => name.toLowerCase().replaceAll('-', '_');

interface DriverFolder {
  readonly elements: readonly string[];
  readonly paths: readonly string[];
}

function byFolder(files: readonly string[], archNames: readonly string[]): DriverFolder[] {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const folder = path.posix.dirname(file);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders]
    .map(([folder, paths]) => ({ elements: folder.toLowerCase().split('/'), paths }))
    .filter(({ elements }) => elements.some((element) => archNames.includes(element)));
}

/** `2k22`, `Win2k22`, `win2022`; `w10`, `win10` */
function isRelease(element: string, wanted: string): boolean {
  const short = wanted.toLowerCase();
  const year = short.replace(/^2k(?=\d)/, '20').replace(/^20(\d)(?!\d)/, '200$1');
  return [short, `win${short}`, `win${year}`, short.replace(/^w/, 'win')].includes(element);
}

const extension = (file: string): string => path.posix.extname(file).toLowerCase();
const baseName = (file: string): string => path.posix.basename(file, path.posix.extname(file)).toLowerCase();
