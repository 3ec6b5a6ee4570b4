// The virt-install line at the end of a job is one that virt-install understands, and it makes the machine of domain.xml.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { domainXml, findFirmware, planDomain, type DomainPlan } from '@hyper2kvm/converter';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { completed, JOB_ID } from '../support/cli-samples.js';
import { Served } from './cli-served.js';
import { json } from './cli-standin.js';

const NOBODY = 65_534;
const URI = 'qemu:///session';
const gateway = new Served();
let folder: string;
let session: Record<string, string>;
let libvirtd: ChildProcess;

/** A libvirt of its own: it needs no rights and meets no other. root's would be the system's. */
const asNobody = (command: string[]): [string, string[]] => {
  const own = process.getuid?.() === 0 ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const [first = '', ...rest] = [...own, ...command];
  return [first, rest];
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-vi-'));
  await chmod(folder, 0o755);
  const home = path.join(folder, 'home');
  await mkdir(home);
  if (process.getuid?.() === 0) await chown(home, NOBODY, NOBODY);
  session = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: home };
  libvirtd = spawn(...asNobody(['libvirtd']), { env: session, stdio: 'ignore' });
  const [command, args] = asNobody(['virsh', '-q', '-c', URI, 'uri']);
  for (let tries = 0; tries < 120; tries += 1) {
    if (spawnSync(command, args, { env: session, stdio: 'ignore' }).status === 0) return;
    await sleep(500);
  }
  throw new Error('libvirtd did not start');
}, 90_000);

afterAll(async () => {
  await gateway.stop();
  if (libvirtd?.exitCode === null) {
    libvirtd.kill('SIGTERM');
    await once(libvirtd, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

/** The line as hyperctl prints it for this domain. */
async function lineOf(name: string, plan: DomainPlan): Promise<string> {
  const output = path.join(folder, name);
  await mkdir(output);
  const files = plan.disks.map((disk) => path.join(output, disk.file));
  for (const file of files) execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M']);
  await writeFile(path.join(output, 'domain.xml'), domainXml(plan, output));
  const job = completed({
    vm_name: name,
    files,
    domain_xml: path.join(output, 'domain.xml'),
    machine: { cpus: plan.vcpus, memory_bytes: plan.memory_bytes, firmware: plan.firmware.kind },
  });
  await gateway.serve((_call, response) => json(response, 200, job));
  const { stdout } = await gateway.run('status', '--job', JOB_ID);
  const [, line] = /Or manually:\n(.*?)\n\n/s.exec(String(stdout)) ?? [];
  if (line === undefined) throw new Error(`no line in: ${String(stdout)}`);
  return line;
}

/** What it would define. */
function printed(line: string): string {
  const script = `${line} --connect ${URI} --dry-run --print-xml`;
  return execFileSync(...asNobody(['sh', '-c', script]), { env: session, encoding: 'utf8', timeout: 120_000 });
}

const NICS = [
  { label: 'Network adapter 1', type: 'vmxnet3', mac: '00:50:56:ab:cd:ef', network: 'VM Network' },
  { label: 'Network adapter 2', type: 'vmxnet3', mac: '00:50:56:ab:cd:f0' },
];
async function planOf(change: {
  name: string;
  firmware: 'bios' | 'efi';
  secure?: boolean;
  disks: number;
  guest?: { type: string; distro: string; product: string; version: { major: number; minor: number } };
}): Promise<DomainPlan> {
  const machine = {
    name: change.name,
    cpus: 4,
    cores_per_socket: 2,
    memory_bytes: 1536 * 1024 ** 2,
    firmware: change.firmware,
    secure_boot: change.secure ?? false,
    tpm: change.secure ?? false,
    disks: [],
    nics: NICS,
  };
  return planDomain({
    machine,
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: '6.1.0',
    accelerator: 'qemu',
    firmware: await findFirmware(machine),
    network: { type: 'network', name: 'default' },
    networkMaps: { job: [{ from: 'VM Network', to: 'br0' }] },
    ...(change.guest === undefined ? {} : { guest: change.guest }),
    disks: Array.from({ length: change.disks }, (_, index) => ({
      index: index + 1,
      // virt-install has its own way with commas, and a shell with blanks.
      file: `disk ${index + 1},one.qcow2`,
      format: 'qcow2' as const,
    })),
  });
}

const all = (xml: string, pattern: RegExp): string[] => [...xml.matchAll(pattern)].map(([, found = '']) => found);
const decoded = (values: string[]): string[] =>
  values.map((value) => value.replaceAll('&apos;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&'));

it.each([
  ['bios', { firmware: 'bios', disks: 2, guest: debian('11') }],
  ['an-older-osinfo-db', { firmware: 'bios', disks: 1, guest: debian('99') }],
  ['uefi', { firmware: 'efi', disks: 1 }],
  ['windows', { firmware: 'efi', secure: true, disks: 9, guest: windows() }],
] as const)('%s: the line makes the machine of domain.xml', async (name, change) => {
  const plan = await planOf({ name, ...change });
  const line = await lineOf(name, plan);
  const xml = printed(line);
  const own = domainXml(plan, path.join(folder, name));
  for (const pattern of [
    /<name>(.*?)</g,
    /<uuid>(.*?)</g,
    /<vcpu[^>]*>(\d+)/g,
    /<source file=['"](.*?)['"]\/>/g,
    /<target dev=['"]\w+['"] bus=['"](\w+)/g,
    /<driver name=['"]qemu['"] type=['"](\w+)/g,
    /<mac address=['"](.*?)['"]/g,
    /<source ((?:bridge|network)=.[\w-]+)/g,
    /<type arch=['"]x86_64['"] machine=['"](\w+)/g,
    /<topology (sockets=.\d+)/g,
    /<loader[^>]*>(.*?)</g,
    /<nvram[^>]*>(.*?)</g,
    /<clock offset=['"](\w+)/g,
    /<tpm model=['"]([\w-]+)/g,
    /<smm state=['"](on)/g,
  ]) {
    const [made, wanted] = [xml, own].map((text) => decoded(all(text, pattern)).map((one) => one.replaceAll('"', "'")));
    expect(made, String(pattern)).toEqual(wanted);
  }
  expect(all(xml, /<memory[^>]*>(\d+)/g)).toEqual([String(1536 * 1024)]);
  const system = { bios: 'http://debian.org/debian/11', windows: 'http://microsoft.com/win/2k22' }[name as string];
  expect(all(xml, /libosinfo:os id="(.*?)"/g)).toEqual(system === undefined ? [] : [system]);
});

function debian(major: string): NonNullable<Parameters<typeof planOf>[0]['guest']> {
  return { type: 'linux', distro: 'debian', product: 'Debian', version: { major: Number(major), minor: 0 } };
}
function windows(): NonNullable<Parameters<typeof planOf>[0]['guest']> {
  const product = 'Windows Server 2022 Standard';
  return { type: 'windows', distro: 'windows', product, version: { major: 10, minor: 0 } };
}
