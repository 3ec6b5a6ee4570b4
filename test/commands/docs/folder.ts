/** The folder in which the docs' commands run, with the files that they name, and what they find on their PATH. */
import { chmod, copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { HYPERCTL } from '../../integration/cli-standin.js';
import { makeRaw, ovfText, tar } from '../../integration/export-local-setup.js';
import type { World } from './world.js';

const DISK_BYTES = 24 * 2 ** 20;

/**
 * No hosts file can be written here, so `hyperctl` and `curl` are small scripts that put the simulated vCenter in the place of
 * vcenter.example.com (in arguments and in manifests), its account in the place of any account of vsphere.local, and the gateway
 * in the place of the local stack's address and of HYPER2KVM_URL at example.com, a free port in the place of 9090; a password that the docs leave out (…) is the account's. Nothing else is changed.
 */
const STAND_INS = `
words=()
for word in "$@"; do
  for name in vcenter vcenter2 lab; do word=\${word//$name.example.com/$DOCS_VCENTER}; done
  word=\${word//http:\\/\\/127.0.0.1:8080/$DOCS_URL}
  word=\${word//http:\\/\\/localhost:8080/$DOCS_URL}
  [[ $word == 9090 ]] && word=$DOCS_PORT
  [[ $word =~ ^(.*\\"password\\":\\")…(.*)$ ]] && word=\${BASH_REMATCH[1]}$DOCS_PASSWORD\${BASH_REMATCH[2]}
  while [[ $word =~ ^(.*[^a-z0-9]|)(admin|automation|hyper2kvm|migration)(@vsphere\\.local.*)$ ]]; do
    word=\${BASH_REMATCH[1]}administrator\${BASH_REMATCH[3]}
  done
  words+=("$word")
done
[[ \${HYPER2KVM_URL-} == https://*.example.com ]] && export HYPER2KVM_URL=$DOCS_URL
[[ \${VSPHERE_PASSWORD-} == … ]] && export VSPHERE_PASSWORD=$DOCS_PASSWORD
sed -i "s/vcenter\\.example\\.com/$DOCS_VCENTER/" ./*.yaml 2>/dev/null
`;

export async function makeBin(folder: string): Promise<string> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  const script = async (name: string, text: string): Promise<void> =>
    writeFile(path.join(bin, name), `#!/bin/bash\n${text}`, { mode: 0o755 });
  await script('hyperctl', `${STAND_INS}exec ${process.execPath} ${HYPERCTL} "\${words[@]}"\n`);
  // An error is one.
  await script('curl', `${STAND_INS}exec /usr/bin/curl --fail-with-body "\${words[@]}"\n`);
  await script('npx', '[[ $1 == hyperctl ]] || exit 64\nshift\nexec hyperctl "$@"\n');
  // What would change the machine is listed in elsewhere.ts; a line that was forgotten there does no harm.
  for (const name of ['sudo', 'apt', 'apt-get', 'systemctl', 'npm']) await script(name, 'exit 64\n');
  return bin;
}

/** What the commands of all pages may name. */
export async function makeFiles(folder: string, { vcenter }: World): Promise<void> {
  await mkdir(folder);
  const at = (name: string): string => path.join(folder, name);
  const secret = async (name: string, text: string): Promise<void> => writeFile(at(name), text, { mode: 0o600 });
  await writeFile(at('vms.txt'), 'web-01 # the front\nweb-02\nstandby-db\n');
  for (const name of ['night.yaml', 'weekend.yaml']) await writeFile(at(name), MANIFEST);
  for (const name of ['vault.key', 'root.key', 'data.key', 'web.key']) await secret(name, 'a passphrase\n');
  for (const name of ['prod.pw', 'lab.pw']) await secret(name, `${vcenter.password}\n`);
  for (const name of ['prod-ca.pem', 'lab-ca.pem', 'vcenter-ca.pem']) await copyFile(vcenter.caFile, at(name));
  await makeDisks(folder);
}

/** A folder of its own for a page: what its commands do to files does not reach another. */
export async function copyFiles(from: string, to: string): Promise<void> {
  await execa('cp', ['--archive', '--link', from, to]);
}

const MANIFEST = `name: night-1
vcenter: { server: vcenter.example.com, username: administrator@vsphere.local }
max_parallel: 2
waves:
  - { name: databases, vms: [standby-db] }
  - { name: web, after: [databases], vms: [web-01, /DC1/vm/web/web-02] }
`;

async function makeDisks(folder: string): Promise<void> {
  const at = (name: string): string => path.join(folder, name);
  const raw = await makeRaw(at('backup.img'), DISK_BYTES);
  const stream = ['-o', 'subformat=streamOptimized'];
  await execa('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', ...stream, raw, at('web.vmdk')]);
  for (const name of ['root.vmdk', 'data.vmdk', 'appliance-disk1.vmdk']) await copyFile(at('web.vmdk'), at(name));
  await writeFile(
    at('appliance.ovf'),
    ovfText({ name: 'appliance', disks: [{ file: 'appliance-disk1.vmdk', capacityMib: DISK_BYTES / 2 ** 20 }] }),
  );
  await tar(folder, ['appliance.ovf', 'appliance-disk1.vmdk'], at('appliance.ova'));
  await symlink('appliance.ova', at('web.ova'));
  await chmod(folder, 0o755);
}

/** A configuration with the contexts that the docs speak of. */
export async function makeSettings(folder: string): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  const set = (...args: string[]): Promise<unknown> =>
    execa(process.execPath, [HYPERCTL, 'config', 'set', ...args], { env, extendEnv: false });
  await set('vsphere.server', 'vcenter.example.com');
  await set('vsphere.datacenter', 'DC1');
  for (const context of ['prod', 'lab'])
    await set('--context', context, 'daemons.go.url', `https://${context}.example.com`);
  await set('--context', 'lab', 'daemons.go.timeout', '60');
  await rename(path.join(folder, '.config/hyper2kvm/config.yaml'), path.join(folder, 'settings.yaml'));
}
