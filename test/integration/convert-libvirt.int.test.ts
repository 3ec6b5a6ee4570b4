/** Domains in a real libvirtd: the system's where one runs, else one that lives as long as this test. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readlink, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkTarget,
  defineDomain,
  domainXml,
  findFirmware,
  finish,
  importOutput,
  planDomain,
  type Defined,
  type DomainPlan,
} from '@hyper2kvm/converter';
import { workplace } from './convert-job.js';
import { JOB, prepare, worker } from './convert-marker.js';

const URI = 'qemu:///system';
const NAME = `hyper2kvm-test-${process.pid}`;
const LIBVIRT = { uri: URI, signal: new AbortController().signal };
const MIB = 1024 ** 2;

let root: string;
const daemons: ChildProcess[] = [];
const uuids = new Set<string>();

const answers = (): boolean => spawnSync('virsh', ['-q', '-c', URI, 'uri'], { stdio: 'ignore' }).status === 0;
const virsh = (...args: string[]): string =>
  execFileSync('virsh', ['-q', '-c', URI, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-libvirt-'));
  // QEMU's user has to get in, as it does below /var/lib.
  await chmod(root, 0o711);
  if (answers()) return;
  // Consoles of domains are written by virtlogd; where one runs this one ends at once.
  for (const daemon of ['virtlogd', 'libvirtd']) daemons.push(spawn(daemon, [], { stdio: 'ignore' }));
  for (let tries = 0; tries < 60 && !answers(); tries += 1) await sleep(500);
});

afterAll(async () => {
  for (const uuid of uuids) {
    spawnSync('virsh', ['-q', '-c', URI, 'destroy', uuid], { stdio: 'ignore' });
    spawnSync('virsh', ['-q', '-c', URI, 'undefine', uuid, '--nvram'], { stdio: 'ignore' });
  }
  for (const daemon of daemons.toReversed()) {
    if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
  await rm(root, { recursive: true, force: true });
});

let serial = 0;
function freshUuid(): string {
  serial += 1;
  const uuid = `420f5e88-76b8-4e22-${process.pid.toString(16).padStart(4, '0').slice(-4)}-${String(serial).padStart(12, '0')}`;
  uuids.add(uuid);
  return uuid;
}

interface Wanted {
  readonly firmware?: 'bios' | 'efi';
  readonly secure_boot?: boolean;
  readonly tpm?: boolean;
  readonly disks?: number;
  readonly windows?: boolean;
  readonly nics?: boolean;
}

async function plan(name: string, uuid = freshUuid(), wanted: Wanted = {}): Promise<DomainPlan> {
  const { firmware = 'bios', secure_boot = false, tpm = false, disks = 1, windows = false, nics = true } = wanted;
  const machine = {
    name,
    cpus: 2,
    memory_bytes: 256 * MIB,
    firmware,
    secure_boot,
    tpm,
    disks: [],
    nics: nics ? [{ label: 'Network adapter 1', type: 'vmxnet3', mac: '00:50:56:ab:cd:ef' }] : [],
  };
  const version = { major: 10, minor: 0 };
  const guest = windows
    ? { type: 'windows', distro: 'windows', product: 'Windows Server 2022', version }
    : { type: 'linux', distro: 'debian', product: 'Debian 11', version: { major: 11, minor: 0 } };
  return planDomain({
    machine,
    uuid,
    guest,
    kernel: '6.1.0',
    accelerator: 'qemu',
    firmware: await findFirmware(machine),
    network: { type: 'network', name: 'default' },
    disks: Array.from({ length: disks }, (_, index) => ({
      index: index + 1,
      file: `disk${index + 1}.qcow2`,
      format: 'qcow2' as const,
    })),
  });
}

async function define(domain: DomainPlan, folder = root): Promise<Defined> {
  const file = path.join(root, `${domain.uuid}.xml`);
  for (const accelerator of ['kvm', 'qemu'] as const) {
    await writeFile(file, domainXml({ ...domain, accelerator }, folder));
    execFileSync('virt-xml-validate', [file, 'domain'], { stdio: 'pipe' });
  }
  return defineDomain(LIBVIRT, domain, folder);
}

describe('a domain', () => {
  it('is defined once: again is fine, what its owner changed stays', async () => {
    const domain = await plan(NAME);
    expect(await define(domain)).toEqual({ name: NAME, defined: true, started: false, concerns: [] });
    virsh('desc', '--config', '--domain', domain.uuid, '--new-desc', 'kept by its owner');
    expect(await define(domain)).toEqual({ name: NAME, defined: false, started: false, concerns: [] });
    const defined = virsh('dumpxml', '--domain', domain.uuid);
    expect(defined).toContain("<mac address='00:50:56:ab:cd:ef'/>");
    expect(defined).toContain(`<source file='${root}/disk1.qcow2'/>`);
    expect(defined).toContain('id="http://debian.org/debian/11"');
    expect(defined).toContain('kept by its owner');
  });

  it('never takes the place of another: of its name, or of its UUID with other disks', async () => {
    const domain = await plan(`${NAME}-first`);
    await define(domain);
    const other = { ...domain, uuid: freshUuid() };
    await expect(define(other)).rejects.toMatchObject({ code: 'DOMAIN_EXISTS', step: 'define' });
    await expect(define(domain, `${root}/elsewhere`)).rejects.toMatchObject({ code: 'DOMAIN_EXISTS' });
    await expect(define({ ...domain, name: `${NAME}-new` }, `${root}/elsewhere`)).rejects.toMatchObject({
      code: 'DOMAIN_EXISTS',
      message: expect.stringContaining(`${root}/disk1.qcow2`),
    });
    expect(virsh('dumpxml', '--domain', domain.uuid)).toContain(`<source file='${root}/disk1.qcow2'/>`);
  });

  it('may have any name that a VM may have', async () => {
    for (const [index, name] of ['../../x', '-rf', 'x'.repeat(300), '😀 <b>&"\'', '5'].entries()) {
      const domain = await plan(name, freshUuid());
      const { name: defined } = await define(
        { ...domain, name: domain.name.slice(0, 170) + `-${NAME}` },
        `${root}/${index}`,
      );
      expect(defined).not.toMatch(/^[-.]|\//);
      expect(virsh('domname', '--domain', domain.uuid).trim()).toBe(defined);
    }
  });

  it('cannot be defined where no libvirt answers: the message says so', async () => {
    const nowhere = { ...LIBVIRT, uri: `qemu+unix:///system?socket=${root}/none` };
    await expect(defineDomain(nowhere, await plan(NAME), root)).rejects.toMatchObject({ code: 'LIBVIRT' });
  });
});

/** User and open files of the QEMU of a domain. */
async function processOf(uuid: string): Promise<{ user: string; files: string[] }> {
  const found = execFileSync('ps', ['-eo', 'pid=,user:32=,args='], { encoding: 'utf8' })
    .split('\n')
    .find((line) => /qemu-system/.test(line) && line.includes(uuid));
  const [, pid = '', user = ''] = /^\s*(\d+)\s+(\S+)/.exec(found ?? '') ?? [];
  const fds = `/proc/${pid}/fd`;
  return {
    user,
    files: await Promise.all((await readdir(fds)).map((fd) => readlink(path.join(fds, fd)).catch(() => ''))),
  };
}

const QEMU_USER = ['libvirt-qemu', 'qemu'].find((user) => spawnSync('id', [user], { stdio: 'ignore' }).status === 0);

describe('a finished output', () => {
  it("is imported and started: QEMU runs as libvirt's user with the images open", async () => {
    const place = await prepare(root, 'started');
    const uuid = freshUuid();
    const { name, disks } = place.marker.domain;
    place.marker.domain = { ...(await plan(`${NAME}-${name}`, uuid, { nics: false })), disks };
    place.marker.manifest.domain = place.marker.domain;
    const { output_dir: folder } = await finish(place.jobDir, place.marker, worker());
    const settings = { ...workplace(root).settings, outputDir: path.dirname(place.dateDir) };
    const imported = await importOutput({ folder, start: true }, settings, worker());
    expect(imported).toEqual({
      libvirt_domain: `${NAME}-${name}`,
      libvirt_uri: URI,
      defined: true,
      started: true,
      concerns: [],
    });
    const qemu = await processOf(uuid);
    expect(qemu.user).toBe(QEMU_USER);
    expect(qemu.files).toEqual(expect.arrayContaining(disks.map(({ file }) => path.join(folder, file))));
    // It runs already.
    expect(await importOutput({ folder, start: true }, settings, worker())).toMatchObject({
      defined: false,
      started: true,
    });
    virsh('destroy', '--domain', uuid);
    // Moved, it is another domain as long as the first is there.
    const moved = `${folder}-moved`;
    await rename(folder, moved);
    await expect(importOutput({ folder: moved }, settings, worker())).rejects.toMatchObject({ code: 'DOMAIN_EXISTS' });
    virsh('undefine', '--domain', uuid);
    expect(await importOutput({ folder: moved }, settings, worker())).toMatchObject({ defined: true, started: false });
    expect(virsh('dumpxml', '--domain', uuid)).toContain(`<source file='${moved}/disk2.qcow2'/>`);
  });

  it('of another job, outside of the output folders, or with images that refer to other files is refused', async () => {
    const place = await prepare(root, 'refused');
    const { output_dir: folder } = await finish(place.jobDir, place.marker, worker());
    const settings = { ...workplace(root).settings, outputDir: path.dirname(place.dateDir) };
    const other = { ...worker(), jobId: 'job-anotherone1' };
    await expect(importOutput({ folder }, settings, other)).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    await expect(importOutput({ folder: '/etc' }, settings, worker())).rejects.toMatchObject({ code: 'PATH_DENIED' });
    await expect(importOutput({ folder: `${folder}/../../../../..` }, settings, worker())).rejects.toMatchObject({
      code: 'PATH_DENIED',
    });
    await expect(importOutput({ folder, target: 'nowhere' }, settings, worker())).rejects.toMatchObject({
      code: 'TARGET_UNSUITABLE',
    });
    execFileSync('qemu-img', [
      'rebase',
      '-q',
      '-u',
      '-f',
      'qcow2',
      '-F',
      'raw',
      '-b',
      '/etc/shadow',
      `${folder}/disk1.qcow2`,
    ]);
    await expect(importOutput({ folder }, settings, worker())).rejects.toMatchObject({ code: 'GUEST_UNSUPPORTED' });
    expect(virsh('list', '--all', '--uuid')).not.toContain(place.marker.domain.uuid);
    expect(JOB).toBe(worker().jobId);
  });

  it('with Secure Boot, a TPM, Windows and 20 disks is started too', async () => {
    const folder = await mkdtemp(path.join(root, 'full-'));
    await chmod(folder, 0o711);
    const tpm = spawnSync('swtpm', ['--version'], { stdio: 'ignore' }).status === 0;
    const wanted = { firmware: 'efi', secure_boot: true, tpm, disks: 20, windows: true, nics: false } as const;
    const domain = await plan(`${NAME}-full`, freshUuid(), wanted);
    for (const { file } of domain.disks)
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path.join(folder, file), '1M']);
    if (domain.firmware.kind === 'efi') await copyFile(domain.firmware.vars_template, path.join(folder, 'nvram.fd'));
    await chmod(path.join(folder, 'nvram.fd'), 0o640);
    await define(domain, folder);
    expect(await defineDomain(LIBVIRT, domain, folder, { start: true })).toMatchObject({ started: true, concerns: [] });
    const { files } = await processOf(domain.uuid);
    expect(files.filter((file) => file.startsWith(`${folder}/disk`))).toHaveLength(20);
    expect((await stat(path.join(folder, 'nvram.fd'))).uid).not.toBe(0);
    expect(files).toContain(path.join(folder, 'nvram.fd'));
    virsh('destroy', '--domain', domain.uuid);
  });

  it('has no TPM where libvirt cannot emulate one, and that is told', async () => {
    // A libvirt that finds no swtpm cannot be had here: only what it would be told is looked at.
    const domain = await plan(`${NAME}-tpm`, freshUuid(), { firmware: 'efi', tpm: true });
    await define({ ...domain, tpm: false });
    expect(await define(domain)).toMatchObject({
      defined: false,
      concerns: [{ code: 'TPM_MISSING', message: expect.stringContaining('cannot emulate a TPM') }],
    });
  });
});

describe('a target', () => {
  it('is looked at before an export: name, memory, networks, bridges', async () => {
    const domain = await plan(`${NAME}-there`);
    await define(domain);
    const machine = {
      name: 'whatever',
      cpus: 2,
      memory_bytes: 2 ** 50,
      firmware: 'efi' as const,
      secure_boot: true,
      tpm: true,
      disks: [{ index: 1, name: 'a.vmdk', capacity_bytes: 1024, used_bytes: 512 }],
      nics: ['VM Network', 'DMZ', 'Storage'].map((network) => ({ label: network, type: 'vmxnet3', network })),
    };
    const options = {
      fix_fstab: true,
      fix_grub: true,
      fix_network: true,
      verify_boot: false,
      proof_timeout_seconds: 600,
      to_libvirt: true,
      target: 'here',
    };
    const targets = {
      here: {
        libvirt_uri: URI,
        network: { type: 'network' as const, name: 'no-such-network' },
        network_map: [{ from: 'DMZ', to: 'no-such-br' }],
      },
    };
    const settings = { ...workplace(root).settings, targets };
    const ask = (vm_name: string, more = {}) =>
      checkTarget({ machine, vm_name, options: { ...options, ...more } }, settings, ['any'], LIBVIRT.signal);
    const { problems, concerns, ...free } = await ask(`${NAME}-there`);
    expect(problems.map(({ code, message }) => `${code} ${message}`).toSorted()).toEqual([
      expect.stringMatching(/^DOMAIN_EXISTS .*-there/),
      expect.stringMatching(/^TARGET_UNSUITABLE .* has no bridge no-such-br/),
      expect.stringMatching(/^TARGET_UNSUITABLE .* has no network no-such-network/),
      expect.stringMatching(/^TARGET_UNSUITABLE the VM has 1048576\.0 GiB of memory/),
    ]);
    expect(concerns.filter(({ code }) => code === 'NETWORK_UNMAPPED').map(({ message }) => message)).toEqual([
      expect.stringContaining('VM Network'),
      expect.stringContaining('Storage'),
    ]);
    expect(free.output_free_bytes).toBeGreaterThan(0);
    const unknown = await ask('new', { target: 'elsewhere' });
    expect(unknown.problems).toMatchObject([{ code: 'TARGET_UNSUITABLE', message: expect.stringContaining('here') }]);
    const away = { here: { libvirt_uri: `qemu+unix:///system?socket=${root}/none` } };
    const silent = await checkTarget(
      { machine, vm_name: 'new', options },
      { ...settings, targets: away },
      ['any'],
      LIBVIRT.signal,
    );
    expect(silent.problems).toMatchObject([{ code: 'LIBVIRT' }]);
  });
});
