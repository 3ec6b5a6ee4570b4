import { constants, type Stats } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { sizeWord } from '../../lib/format.js';
import { failed, ok, skipped, warning, type Check, type Outcome } from '../check.js';
import type { Machine } from '../machine.js';

/** A small VM, whole: less is not worth to begin with. */
const LITTLE_BYTES = 50e9;

const folders = ({ config }: Machine): { readonly what: string; readonly folder: string }[] => [
  { what: 'exports', folder: config.exporter.work_dir },
  { what: 'conversions', folder: config.converter.work_dir },
  { what: 'results', folder: config.converter.output_dir },
];

/** The folder itself, or the nearest one above it that is there: it is made there. */
async function nearest(folder: string): Promise<{ readonly place: string; readonly stats: Stats }> {
  const stats = await stat(folder).catch(() => undefined);
  if (stats !== undefined) return { place: folder, stats };
  return nearest(path.dirname(folder));
}

const space: Check = {
  id: 'space',
  group: 'storage',
  title: 'Free space',
  run: async (machine) => {
    const looked = await Promise.all(
      folders(machine).map(async ({ what, folder }) => {
        const { place, stats } = await nearest(folder);
        const { bavail, bsize, files, ffree } = await statfs(place);
        return { what, folder, device: stats.dev, free: bavail * bsize, inodes: files === 0 || ffree > 1000 };
      }),
    );
    // What lies on one file system is told once.
    const found = [...new Map(looked.map((one) => [one.device, one])).values()]
      .map(({ folder, free }) => `${sizeWord(free)} in ${folder}`)
      .join(', ');
    const full = looked.find(({ free, inodes }) => free < machine.config.exporter.min_free_bytes || !inodes);
    if (full !== undefined)
      return failed(found, `${full.folder} is full: ${full.what} cannot be written`, [`df -h ${full.folder}`, ...MOVE]);
    const little = looked.find(({ free }) => free < LITTLE_BYTES);
    if (little !== undefined)
      return warning(found, `a VM larger than that does not fit: its disks are written whole, then converted`, MOVE);
    const [exports, , results] = looked;
    if (exports?.device !== results?.device)
      return warning(found, 'exports and results lie on different file systems: every result is copied, not renamed', [
        'put exporter.work_dir, converter.work_dir and converter.output_dir on one file system',
      ]);
    return ok(found);
  },
};

const MOVE = ['set exporter.work_dir, converter.work_dir and converter.output_dir to a larger file system'];

const permissions: Check = {
  id: 'permissions',
  group: 'storage',
  title: 'Permissions',
  run: async (machine): Promise<Outcome> => {
    const { config, isRoot, stack, configFile } = machine;
    if (stack === undefined && configFile !== undefined && !isRoot)
      return skipped('the services run as root: this is asked as root alone', ['sudo hyperctl doctor']);
    for (const { what, folder } of folders(machine)) {
      const { place } = await nearest(folder);
      if (
        !(await access(place, constants.W_OK | constants.X_OK).then(
          () => true,
          () => false,
        ))
      )
        return failed(place, `${what} cannot be written there by ${process.env['USER'] ?? 'this user'}`, [
          `sudo install -d -o "$USER" ${folder}`,
        ]);
    }
    const keys = [config.secrets.key_file, config.vsphere.credentials_file].filter((file) => file !== undefined);
    for (const file of keys) {
      const stats = await stat(file).catch(() => undefined);
      if (stats === undefined)
        return failed(file, 'it is not there, or may not be read', [
          `openssl rand -base64 32 > ${file} && chmod 600 ${file}    # where it is the key: secrets.key_file`,
        ]);
      if ((stats.mode & 0o077) !== 0)
        return failed(file, 'others can read it: the services do not start', [`chmod 600 ${file}`]);
    }
    if (configFile !== undefined && stack === undefined && keys.length === 0 && config.secrets.key === undefined)
      return failed('no key', 'passwords on their way are sealed with it: without it the services do not start', [
        'openssl rand -base64 32 > /etc/hyper2kvm/key && chmod 600 /etc/hyper2kvm/key',
        'secrets.key_file: /etc/hyper2kvm/key    # in the configuration',
      ]);
    return ok(isRoot ? 'root' : `folders can be written by ${process.env['USER'] ?? 'this user'}`);
  },
};

export const STORAGE_CHECKS: readonly Check[] = [space, permissions];
