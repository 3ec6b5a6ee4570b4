import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineInput } from '../src/engines/engine.js';
import { planWindows, windowsChanges, type WindowsPlan } from '../src/engines/virt-v2v/windows/index.js';

const HIVE = '/windows/system32/config/software';
const TOOLS = '/program files/vmware/vmware tools/vmtoolsd.exe';
const FILES = ['viostor.inf', 'viostor.sys', 'netkvm.inf', 'netkvm.sys']
  .map((name) => `drivers/2k22/amd64/${name}`)
  .concat('guest-agent/qemu-ga-x86_64.msi');
const VALUES = { CurrentBuild: '20348', InstallationType: 'Server', ProductName: 'Windows Server 2022 Standard' };

interface Windows {
  readonly files?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, string>>;
  readonly writable?: boolean;
}

/** Answers as guestfish does for such a Windows: an empty text where a call failed. */
function appliance({ files = {}, values = VALUES, writable = true }: Windows): EngineInput['appliance'] {
  const content: Record<string, string> = { [HIVE]: '', ...files };
  const names = Object.keys(values);
  const answer = ([command, first = '', second = '']: readonly string[]): string => {
    switch (command) {
      case 'case-sensitive-path':
        return `${first}\n`;
      case 'pread':
        return content[first] ?? '';
      case 'mkdtemp':
        return writable ? '/hyper2kvmAbCdEf\n' : '';
      case 'hivex-root':
      case 'hivex-node-get-child':
        return '4128\n';
      case 'hivex-node-get-value':
        return `${names.indexOf(second) + 1}\n`;
      case 'hivex-value-string':
        return `${Object.values(values)[Number(first) - 1] ?? ''}\n`;
      default:
        return '';
    }
  };
  const asked = {
    attempt: async (argv: readonly string[]) => answer(argv),
    call: async (argv: readonly string[]) => answer(argv),
    isFile: async (file: string) => file in content,
  };
  return asked as unknown as EngineInput['appliance'];
}

const virtioWin = (files: readonly string[] = FILES) => ({ files, copy: async () => {}, close: async () => {} });

const plan = (windows: Windows = {}, files: readonly string[] = FILES, keep = false): Promise<WindowsPlan> => {
  const guest = { root: '/dev/sda2', arch: 'x86_64', product: 'Windows Server 2022 Standard' };
  const input = { appliance: appliance(windows), guest, options: { keep_vmware_tools: keep }, virtioWin: '/srv/v.iso' };
  return planWindows(input as unknown as EngineInput, virtioWin(files));
};

let tools: string;
beforeEach(async () => {
  tools = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-virt-tools-'));
  await mkdir(path.join(tools, 'with'));
  await writeFile(path.join(tools, 'with', 'rhsrvany.exe'), '');
  vi.stubEnv('VIRT_TOOLS_DATA_DIR', path.join(tools, 'with'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(tools, { recursive: true });
});

const messages = ({ concerns }: WindowsPlan): string[] => concerns.map(({ message }) => message);

describe('a Windows', () => {
  it('that can be converted', async () => {
    const planned = await plan();
    expect(planned).toMatchObject({
      release: { build: 20_348, server: true, arch: 'x86_64' },
      drivers: { names: ['netkvm', 'viostor'], release: '2k22' },
      agent: 'guest-agent/qemu-ga-x86_64.msi',
      vmwareTools: false,
      concerns: [],
    });
    expect(windowsChanges(planned).map(({ file }) => file)).toEqual([
      '/Windows/System32/drivers/viostor.sys',
      '/Windows/System32/config/SYSTEM',
      '/Windows/Drivers/VirtIO',
      '/Windows/System32/config/SOFTWARE',
      '/Program Files/Guestfs/Firstboot',
    ]);
  });

  it('that is a client takes the drivers of clients', async () => {
    const values = { CurrentBuild: '22631', InstallationType: 'Client', ProductName: 'Windows 10 Pro' };
    await expect(plan({ values })).rejects.toMatchObject({
      code: 'DRIVERS_MISSING',
      message: expect.stringContaining('viostor/w11, viostor/w10'),
    });
  });

  it('that is older than InstallationType is known by its name', async () => {
    const values = { CurrentBuild: '3790', ProductName: 'Microsoft Windows Server 2003' };
    expect(
      (
        await plan(
          { values },
          FILES.map((file) => file.replace('2k22', '2k3')),
        )
      ).release.server,
    ).toBe(true);
  });

  it('that sleeps, or cannot be written to, is refused', async () => {
    await expect(plan({ files: { '/hiberfil.sys': 'HIBR' } })).rejects.toMatchObject({ code: 'GUEST_HIBERNATED' });
    await expect(plan({ writable: false })).rejects.toMatchObject({
      code: 'GUEST_HIBERNATED',
      message: expect.stringContaining('cannot be written to'),
    });
    await expect(plan({ files: { '/hiberfil.sys': '\0\0\0\0' } })).resolves.toBeDefined();
  });

  it('that does not tell its version is refused', async () => {
    await expect(plan({ values: { CurrentBuild: 'many' } })).rejects.toMatchObject({ code: 'GUEST_UNSUPPORTED' });
  });
});

describe('what runs at the first start', () => {
  it('VMware Tools are removed', async () => {
    const planned = await plan({ files: { [TOOLS]: '' } });
    expect(windowsChanges(planned).map(({ summary }) => summary)).toContain(
      'VMware Tools are removed at the first start',
    );
    expect(messages(await plan({ files: { [TOOLS]: '' } }, FILES, true))).toEqual([
      'virt-v2v removes VMware Tools from Windows in any case',
    ]);
  });

  it('needs rhsrvany.exe: without it VMware Tools are in the way, and there is no guest agent', async () => {
    vi.stubEnv('VIRT_TOOLS_DATA_DIR', tools);
    await expect(plan({ files: { [TOOLS]: '' } })).rejects.toMatchObject({
      code: 'GUEST_UNSUPPORTED',
      message: expect.stringContaining(`rhsrvany.exe is not in ${tools}`),
    });
    const planned = await plan();
    expect(planned.agent).toBeUndefined();
    expect(messages(planned)).toEqual([expect.stringContaining("QEMU's guest agent is not installed")]);
  });
});

describe('concerns', () => {
  it('of drivers for another release, no network driver and no agent', async () => {
    const files = ['drivers/2k19/amd64/viostor.inf', 'drivers/2k19/amd64/viostor.sys'];
    expect(messages(await plan({}, files))).toEqual([
      expect.stringContaining('those for 2k19 are installed'),
      expect.stringContaining('the VM gets an e1000e'),
      expect.stringContaining('no installer'),
    ]);
  });
});
