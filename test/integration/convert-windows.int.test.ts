/** Windows, phony but read and changed by the real virt-v2v: its registry, its files, and what is refused. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accelerator, Appliance, chooseEngine, inspect, type EngineInput, type Manifest } from '@hyper2kvm/converter';
import {
  copyDisk,
  ensureWindows,
  makeVirtioWin,
  makeVirtTools,
  type PhonyWindows,
  type WindowsState,
} from '../support/guest/windows/index.js';
import { libguestfsEnv } from '../support/kvm.js';
import { putArtifact, startConversion, workplace } from './convert-job.js';

const LIMIT_MS = 600_000;

let root: string;
let windows: PhonyWindows;
let virtioWin: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-windows-'));
  windows = await ensureWindows();
  virtioWin = path.join(root, 'virtio-win');
  await makeVirtioWin(virtioWin, ['2k12R2', '2k22', 'w10']);
  await makeVirtTools(path.join(root, 'virt-tools'));
  vi.stubEnv('VIRT_TOOLS_DATA_DIR', path.join(root, 'virt-tools'));
}, LIMIT_MS);
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

it(
  'gets its drivers: the disk driver starts at boot, the rest is found by Windows',
  async () => {
    const { settings, ...place } = workplace(path.join(root, 'converted'));
    const workshop = { ...place, settings: { ...settings, virtioWin } };
    await mkdir(place.root);
    const image = path.join(root, 'windows.qcow2');
    await copyDisk(windows, image);
    await putArtifact(workshop, image, windows.capacityBytes);
    const run = startConversion(workshop, 1);
    await run.exited;
    const end = run.lines.at(-1);
    expect(end).toMatchObject({ kind: 'result' });
    expect(run.lines.some(({ message }) => message?.startsWith('virt-v2v: Converting Windows Server 2022'))).toBe(true);
    expect(existsSync(place.jobDir)).toBe(false);

    const folder = end?.result?.output_dir ?? '';
    const seen = await look(path.join(folder, 'disk1.qcow2'));
    const service = (name: string): string[] => registry(seen.system, `ControlSet001\\Services\\${name}`);
    expect(service('viostor')).toEqual(
      expect.arrayContaining([
        '"Start"=dword:00000000',
        '"Group"="SCSI miniport"',
        '"ImagePath"=str(2):"system32\\\\drivers\\\\viostor.sys"',
      ]),
    );
    expect(service('firstboot')).toContain('"Start"=dword:00000002');
    expect(registry(seen.software, 'Microsoft\\Windows\\CurrentVersion').join('\n')).toContain('Drivers\\\\VirtIO');
    expect((await readFile(seen.driver)).toString('latin1')).toMatch(/phony viostor 2k22$/);
    expect(seen.names).toEqual(expect.arrayContaining(['netkvm.inf', 'netkvm.sys', 'viostor.inf', 'vioscsi.sys']));

    expect(seen.names).toEqual(expect.arrayContaining([expect.stringMatching(/uninstall-VMware-Tools\.bat$/)]));

    const manifest = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as Manifest;
    expect(manifest.changes.map(({ step, summary }) => `${step}: ${summary}`)).toEqual(
      expect.arrayContaining([
        'virt-v2v: disk driver of virtio-win (2k22) copied',
        'virt-v2v: VMware Tools are removed at the first start',
      ]),
    );
    expect(manifest.concerns.filter(({ code }) => code === 'DRIVERS')).toEqual([]);
  },
  LIMIT_MS,
);

it(
  'is refused without drivers, and when it sleeps',
  async () => {
    const { appliance, input } = await opened('hibernated');
    try {
      const refused = (values: Partial<EngineInput>): Promise<unknown> =>
        chooseEngine(input.guest).convert({ ...input, ...values });
      await expect(refused({ virtioWin: undefined })).rejects.toMatchObject({
        code: 'DRIVERS_MISSING',
        step: 'virt-v2v',
        message: expect.stringContaining('converter.virtio_win'),
      });
      await expect(refused({})).rejects.toMatchObject({
        code: 'GUEST_HIBERNATED',
        step: 'virt-v2v',
        message: expect.stringContaining('hiberfil.sys'),
      });
    } finally {
      await appliance.stop();
    }
  },
  LIMIT_MS,
);

it(
  'is refused when it is encrypted by BitLocker',
  async () => {
    await expect(opened('encrypted')).rejects.toMatchObject({
      code: 'GUEST_ENCRYPTED',
      message: expect.stringContaining('BitLocker'),
    });
  },
  LIMIT_MS,
);

/** The guest in a state, opened as a conversion does; nothing of it is written back. */
async function opened(state: WindowsState): Promise<{ appliance: Appliance; input: EngineInput }> {
  const folder = path.join(root, state);
  await mkdir(folder);
  const file = path.join(folder, 'disk1.qcow2');
  await copyDisk(windows, file, state);
  const disks = [{ file, format: 'qcow2' as const }];
  const common = { disks, cacheDir: '/var/tmp', accelerator: await accelerator() };
  const { signal } = new AbortController();
  const appliance = await Appliance.start({ ...common, folder: path.join(folder, 'appliance'), signal });
  try {
    const { guest } = await inspect(appliance, { diskCount: 1, root: undefined, noOs: false });
    expect(guest).toMatchObject({ type: 'windows', product: 'Windows Server 2022 Standard', arch: 'x86_64' });
    const input: EngineInput = {
      ...common,
      appliance,
      guest,
      folder,
      virtioWin,
      machine: {
        name: 'orders-win',
        cpus: 2,
        memory_bytes: 1024 ** 3,
        firmware: 'bios',
        secure_boot: false,
        disks: [],
        nics: [],
      },
      generatedMacs: [],
      options: {
        fix_fstab: true,
        fix_grub: true,
        fix_network: true,
        to_libvirt: false,
        verify_boot: false,
        proof_timeout_seconds: 600,
      },
      dryRun: true,
      work: { signal, log: () => {} },
      reporter: { step: (_name, action) => action(() => {}) },
    };
    return { appliance, input };
  } catch (error) {
    await appliance.stop();
    throw error;
  }
}

const at = (name: string): string => path.join(root, name);

/** The hives, the disk driver and the names of all drivers and scripts in a converted image. */
async function look(
  image: string,
): Promise<{ system: string; software: string; driver: string; names: readonly string[] }> {
  const config = '/Windows/System32/config';
  const commands = [
    ['download', `${config}/SYSTEM`, at('SYSTEM')],
    ['download', `${config}/SOFTWARE`, at('SOFTWARE')],
    ['download', '/Windows/System32/drivers/viostor.sys', at('viostor.sys')],
    ['ls', '/Windows/Drivers/VirtIO'],
    ['ls', '/Program Files/Guestfs/Firstboot/scripts'],
  ];
  const args = ['--ro', '--format=qcow2', '-a', image, '-m', '/dev/sda2', '--'];
  const names = execFileSync('guestfish', [...args, ...commands.flatMap((each) => [':', ...each]).slice(1)], {
    encoding: 'utf8',
    env: { ...process.env, ...(await libguestfsEnv()) },
  });
  return { system: at('SYSTEM'), software: at('SOFTWARE'), driver: at('viostor.sys'), names: names.split('\n') };
}

const registry = (hive: string, key: string): string[] =>
  execFileSync('hivexget', [hive, key], { encoding: 'utf8' }).split('\n');
