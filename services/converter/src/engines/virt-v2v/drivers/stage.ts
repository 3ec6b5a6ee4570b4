import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { archFolder, searchedFolders, type WindowsRelease } from '../windows/release.js';
import type { Drivers } from './find.js';
import type { VirtioWin } from './virtio-win.js';

/** As virt-v2v knows them. */
const AGENTS: Readonly<Record<string, string>> = { x86_64: 'qemu-ga-x86_64.msi', i386: 'qemu-ga-i386.msi' };

/**
 * A virtio-win of the chosen drivers alone, for virt-v2v, under every name by which it may look for this Windows. So the
 * choice is ours, also for releases that it does not know; and an ISO costs it no appliances of their own.
 */
export async function stageDrivers(
  source: VirtioWin,
  drivers: Drivers,
  agent: string | undefined,
  release: WindowsRelease,
  folder: string,
): Promise<void> {
  const files = path.join(folder, 'files');
  await mkdir(files, { recursive: true });
  for (const [name, file] of drivers.files) await source.copy(file, path.join(files, name));
  const staged = path.join(folder, 'virtio-win');
  for (const name of searchedFolders(release)) {
    const place = path.join(staged, name, archFolder(release.arch) ?? '');
    await mkdir(path.dirname(place), { recursive: true });
    // It follows links.
    await symlink(files, place);
  }
  if (agent !== undefined)
    await source.copy(agent, path.join(staged, AGENTS[release.arch] ?? path.posix.basename(agent)));
}
