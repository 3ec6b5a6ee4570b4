import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** Debian's package of a command. Where dnf or zypper install, the command's path names its package. */
const DEBIAN: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-utils',
  'qemu-nbd': 'qemu-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
  guestfish: 'libguestfs-tools',
  'virt-v2v-in-place': 'virt-v2v',
  virsh: 'libvirt-clients',
  'virt-install': 'virtinst',
  swtpm: 'swtpm',
  'nats-server': 'nats-server',
  setsid: 'util-linux',
  flock: 'util-linux',
  prlimit: 'util-linux',
};

/** Folders where system programs lie that are not on every user's PATH. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/libexec'];

export async function whereIs(command: string): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...MORE_FOLDERS].filter((folder) => folder !== '');
  for (const folder of folders) {
    const file = path.join(folder, command);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

/** The first version number of what `command --version` says; undefined where it says none. */
export async function versionOf(command: string): Promise<string | undefined> {
  const { stdout, stderr } = await execa(command, ['--version'], { reject: false, timeout: 10_000, stdin: 'ignore' });
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}\n${stderr}`)?.[0];
}

/** A line to copy that installs the packages of commands, in the words of this distribution. */
export async function installLine(commands: readonly string[], sudo: boolean): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const family = /^ID(?:_LIKE)?=.*\b(debian|ubuntu|fedora|rhel|centos|suse|opensuse)/m.exec(release)?.[1];
  const root = sudo ? 'sudo ' : '';
  const debian = [...new Set(commands.map((command) => DEBIAN[command] ?? command))].join(' ');
  const paths = commands.map((command) => `/usr/bin/${command}`).join(' ');
  if (family === 'debian' || family === 'ubuntu') return `${root}apt-get install -y ${debian}`;
  if (family === 'suse' || family === 'opensuse') return `${root}zypper install -y ${paths}`;
  if (family !== undefined) return `${root}dnf install -y ${paths}`;
  return `install the packages that bring ${commands.join(', ')} (Debian: ${debian})`;
}
