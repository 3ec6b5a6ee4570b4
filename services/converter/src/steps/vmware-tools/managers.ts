import type { Appliance } from '../../guest/index.js';
import { apkTools, dpkgTools, pacmanTools, rpmTools } from './packages.js';

/** A package manager that works in a guest that does not run, without a network. */
export interface PackageManager {
  readonly name: string;
  /** Its program in the guest. */
  readonly program: string;
  /** The packages of VMware's tools that are installed. */
  tools(appliance: Appliance): Promise<string[]>;
  remove(packages: readonly string[]): string[];
}

/** dpkg's database of a desktop has some 3 MiB. */
const DATABASE_LIMIT_BYTES = 64 * 1024 * 1024;

const read = async (appliance: Appliance, file: string): Promise<string> =>
  (await appliance.readText(file, DATABASE_LIMIT_BYTES)) ?? '';

export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    name: 'dpkg',
    program: '/usr/bin/dpkg',
    tools: async (appliance) => dpkgTools(await read(appliance, '/var/lib/dpkg/status')),
    // Triggers of others (an initramfs made anew) would take a minute; they stay pending for the guest's next dpkg.
    remove: (packages) => ['dpkg', '--no-triggers', '--purge', ...packages],
  },
  {
    name: 'rpm',
    program: '/usr/bin/rpm',
    tools: async (appliance) => rpmTools(await appliance.tryCommand(['rpm', '-qa'])),
    remove: (packages) => ['rpm', '-e', ...packages],
  },
  {
    name: 'apk',
    program: '/sbin/apk',
    tools: async (appliance) => apkTools(await read(appliance, '/lib/apk/db/installed')),
    remove: (packages) => ['apk', '--no-network', 'del', ...packages],
  },
  {
    name: 'pacman',
    program: '/usr/bin/pacman',
    tools: async (appliance) => pacmanTools(await appliance.list('/var/lib/pacman/local')),
    remove: (packages) => ['pacman', '--noconfirm', '-R', ...packages],
  },
];
