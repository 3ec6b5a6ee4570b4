/** The domain in a real libvirtd: the system's where one runs, else one that lives as long as this test. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { defineDomain, domainXml, findFirmware, planDomain, type Defined, type DomainPlan } from '@hyper2kvm/converter';

const URI = 'qemu:///system';
const NAME = `hyper2kvm-test-${process.pid}`;
const signal = new AbortController().signal;

let root: string;
let libvirtd: ChildProcess | undefined;

const answers = (): boolean => spawnSync('virsh', ['-q', '-c', URI, 'uri'], { stdio: 'ignore' }).status === 0;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-libvirt-'));
  if (answers()) return;
  libvirtd = spawn('libvirtd', [], { stdio: 'ignore' });
  for (let tries = 0; tries < 60 && !answers(); tries += 1) await sleep(500);
});

afterAll(async () => {
  for (const name of [NAME, `${NAME}-efi`, `${NAME}-tpm`]) {
    spawnSync('virsh', ['-q', '-c', URI, 'undefine', name, '--nvram'], { stdio: 'ignore' });
  }
  if (libvirtd?.exitCode === null) {
    libvirtd.kill('SIGTERM');
    await once(libvirtd, 'exit');
  }
  await rm(root, { recursive: true, force: true });
});

async function plan(name: string, uuid: string, firmware: 'bios' | 'efi', tpm = false): Promise<DomainPlan> {
  const nics = [{ label: 'Network adapter 1', type: 'vmxnet3', mac: '00:50:56:ab:cd:ef' }];
  const machine = { name, cpus: 2, memory_bytes: 512 * 1024 ** 2, firmware, secure_boot: false, tpm, disks: [], nics };
  return planDomain({
    machine,
    uuid,
    kernel: '6.1.0',
    accelerator: 'qemu',
    firmware: await findFirmware(machine),
    network: { type: 'network', name: 'default' },
    disks: [{ index: 1, file: 'disk1.qcow2', format: 'qcow2' }],
  });
}

async function define(domain: DomainPlan): Promise<Defined> {
  const file = path.join(root, `${domain.uuid}.xml`);
  await writeFile(file, domainXml(domain, root));
  execFileSync('virt-xml-validate', [file, 'domain'], { stdio: 'pipe' });
  return defineDomain(URI, domain, file, signal);
}

it('is defined, again without harm, and never over another domain of its name', async () => {
  const domain = await plan(NAME, '420f5e88-76b8-4e22-bd64-d287210e14ae', 'bios');
  expect(await define(domain)).toEqual({ name: NAME, concerns: [] });
  expect(await define(domain)).toEqual({ name: NAME, concerns: [] });
  const defined = execFileSync('virsh', ['-q', '-c', URI, 'dumpxml', NAME], { encoding: 'utf8' });
  expect(defined).toContain("<mac address='00:50:56:ab:cd:ef'/>");
  expect(defined).toContain(`<source file='${root}/disk1.qcow2'/>`);

  const other = await plan(NAME, '420f5e88-76b8-4e22-bd64-000000000000', 'bios');
  await expect(define(other)).rejects.toMatchObject({ code: 'LIBVIRT', step: 'define' });
});

it('has UEFI with its own NVRAM where the source had it', async () => {
  expect(await define(await plan(`${NAME}-efi`, '420f5e88-76b8-4e22-bd64-d287210e14af', 'efi'))).toMatchObject({
    name: `${NAME}-efi`,
  });
});

it('has a TPM where the source had one, or none where libvirt has no swtpm, and that is told', async () => {
  const domain = await plan(`${NAME}-tpm`, '420f5e88-76b8-4e22-bd64-d287210e14b0', 'efi', true);
  const { name, concerns } = await define(domain);
  expect(name).toBe(domain.name);
  const defined = execFileSync('virsh', ['-q', '-c', URI, 'dumpxml', domain.name], { encoding: 'utf8' });
  if (spawnSync('swtpm', ['--version'], { stdio: 'ignore' }).status === 0) {
    expect(defined).toMatch(/<tpm model='tpm-crb'>\s*<backend type='emulator' version='2.0'/);
    expect(concerns).toEqual([]);
  } else {
    expect(defined).not.toContain('<tpm');
    expect(defined).toContain(`<source file='${root}/disk1.qcow2'/>`);
    expect(concerns).toEqual([expect.stringMatching(/cannot emulate a TPM.*swtpm/)]);
  }
});

it('cannot be defined where no libvirt answers: the message says so', async () => {
  const domain = await plan(NAME, '420f5e88-76b8-4e22-bd64-d287210e14ae', 'bios');
  const nowhere = `qemu+unix:///system?socket=${root}/none`;
  await expect(defineDomain(nowhere, domain, '/nonexistent.xml', signal)).rejects.toMatchObject({ code: 'LIBVIRT' });
});
