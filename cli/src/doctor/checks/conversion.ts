import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { kvmProbe } from '@hyper2kvm/runtime/probes';
import { durationWord } from '@hyper2kvm/contracts';
import { failed, ok, skipped, warning, type Check } from '../check.js';
import type { Machine } from '../machine.js';
import { installLine, whereIs } from '../programs.js';

/** Without KVM the appliance takes some ten seconds, on a busy machine minutes; the first launch also builds it. */
const LAUNCH_MS = 300_000;
const TIMEOUT_MS = 15_000;
const VIRTIO_WIN = 'https://fedorapeople.org/groups/virt/virtio-win/direct-downloads/stable-virtio/virtio-win.iso';

/** What --set says holds from the next start on. */
const STOP = ['hyperctl daemon stop --all'];

let kvm: Promise<boolean> | undefined;

/** Probed once: libguestfs asks, too. */
const kvmWorks = (signal: AbortSignal): Promise<boolean> => (kvm ??= boots(signal));

async function boots(signal: AbortSignal): Promise<boolean> {
  const probe = await kvmProbe();
  if (typeof probe === 'string') return false;
  const { stdout } = await execa(probe.command, probe.args, {
    reject: false,
    timeout: probe.limitMs,
    forceKillAfterDelay: 500,
    cancelSignal: signal,
    stdin: 'ignore',
  });
  return probe.passed(stdout ?? '');
}

const SLOW = 'guests are converted and proven by emulation: some 5 to 10 times slower';

const kvmCheck: Check = {
  id: 'kvm',
  group: 'conversion',
  title: 'KVM',
  slow: true,
  run: async ({ isRoot }, signal) => {
    const probe = await kvmProbe();
    const sudo = isRoot ? '' : 'sudo ';
    if (probe === 'device')
      return warning('there is no /dev/kvm', SLOW, [
        'switch virtualisation on (firmware: VT-x or AMD-V; in a VM: nested virtualisation)',
        `${sudo}modprobe kvm_intel || ${sudo}modprobe kvm_amd`,
      ]);
    if (probe === 'permission')
      return warning('/dev/kvm may not be opened', SLOW, [
        `sudo usermod -aG kvm ${process.env['USER'] ?? '$USER'}`,
        'log in anew',
      ]);
    if (probe === 'kernel')
      return warning('not tried: no kernel in /boot can be read', 'libguestfs needs one, too', [
        `${sudo}chmod 0644 /boot/vmlinuz-*`,
      ]);
    if ((await whereIs(probe.command)) === undefined) return skipped('QEMU is not installed');
    if (await kvmWorks(signal)) return ok('a kernel runs on it');
    return warning(
      `/dev/kvm is there, but a kernel did not come up within ${probe.limitMs / 1000} s`,
      `nested virtualisation that does not work, mostly; ${SLOW}`,
      ['use a machine with hardware virtualisation for converters'],
    );
  },
};

const libguestfs: Check = {
  id: 'libguestfs',
  group: 'conversion',
  title: 'libguestfs appliance',
  slow: true,
  run: async (machine, signal) => {
    if ((await whereIs('guestfish')) === undefined) return skipped('libguestfs is not installed');
    const folder = await mkdtemp(path.join(tmpdir(), 'hyperctl-doctor-'));
    const began = performance.now();
    try {
      const result = await execa('guestfish', ['-a', '/dev/null', 'run'], {
        reject: false,
        timeout: LAUNCH_MS,
        forceKillAfterDelay: 2_000,
        cancelSignal: signal,
        stdin: 'ignore',
        // As the converter launches it.
        env: {
          LIBGUESTFS_BACKEND: 'direct',
          LIBGUESTFS_BACKEND_SETTINGS: (await kvmWorks(signal)) ? undefined : 'force_tcg',
          LIBGUESTFS_CACHEDIR: machine.config.converter.appliance_cache_dir,
          TMPDIR: folder,
          LC_ALL: 'C.UTF-8',
        },
      });
      const took = durationWord((performance.now() - began) / 1000);
      if (result.exitCode === 0) return ok(`launched in ${took}`);
      if (result.timedOut) return failed(`it did not come up within ${took}`, 'no guest can be converted', TEST);
      const [last] = result.stderr.trim().split('\n').slice(-1);
      return failed('it does not launch', last ?? 'it says nothing', await launchFix(result.stderr, machine));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const TEST = ['libguestfs-test-tool    # says at length what stands in the way'];

async function launchFix(stderr: string, { isRoot, config }: Machine): Promise<string[]> {
  const sudo = isRoot ? '' : 'sudo ';
  if (/supermin/.test(stderr) && /Permission denied|kernel|vmlinuz/i.test(stderr))
    return [`${sudo}chmod 0644 /boot/vmlinuz-*`, ...TEST];
  if (/No space left/i.test(stderr)) return [`free some space in ${config.converter.appliance_cache_dir}`, ...TEST];
  if (/qemu-system|could not find.*qemu/i.test(stderr))
    return [await installLine(['qemu-system-x86_64'], !isRoot), ...TEST];
  return TEST;
}

const virtioWin: Check = {
  id: 'virtio-win',
  group: 'conversion',
  title: 'virtio-win drivers',
  run: async ({ config, configFile, stack, isRoot }) => {
    const place = config.converter.virtio_win;
    const sudo = isRoot ? '' : 'sudo ';
    const iso = '/usr/share/virtio-win/virtio-win.iso';
    const set =
      stack === undefined && configFile !== undefined
        ? [`converter: { virtio_win: ${iso} }    # in ${configFile}, then restart the converter`]
        : [...STOP, `hyperctl daemon start --all --set converter.virtio_win=${iso}`];
    const fetch = [`${sudo}mkdir -p ${path.dirname(iso)}`, `${sudo}curl -fL -o ${iso} ${VIRTIO_WIN}`, ...set];
    if (place === undefined) {
      const there = await stat(iso).catch(() => undefined);
      return there === undefined
        ? warning('not configured', 'Windows guests cannot be converted; others need none of it', fetch)
        : warning(`${iso} is there, but not configured`, 'Windows guests cannot be converted', set);
    }
    const found = await stat(place).catch(() => undefined);
    if (found === undefined) return failed(place, 'it is not there: Windows guests cannot be converted', fetch);
    return ok(place);
  },
};

const libvirt: Check = {
  id: 'libvirt',
  group: 'conversion',
  title: 'libvirt',
  run: async ({ config, isRoot }, signal) => {
    const { libvirt_uri: uri, network } = config.converter;
    if ((await whereIs('virsh')) === undefined) return skipped('virsh is not installed');
    const virsh = (...args: string[]) =>
      execa('virsh', ['--connect', uri, ...args], {
        reject: false,
        timeout: TIMEOUT_MS,
        cancelSignal: signal,
        stdin: 'ignore',
        env: { LC_ALL: 'C.UTF-8' },
      });
    const sudo = isRoot ? '' : 'sudo ';
    const version = await virsh('version');
    if (version.exitCode !== 0) {
      const denied = /permission|authenticat|access denied/i.test(version.stderr);
      return warning(
        `${uri} cannot be reached`,
        'converted VMs cannot be defined there (--to-libvirt, hyperctl import); everything else works',
        denied
          ? [`sudo usermod -aG libvirt ${process.env['USER'] ?? '$USER'}`, 'log in anew']
          : [`${sudo}systemctl enable --now libvirtd || ${sudo}systemctl enable --now virtqemud.socket`],
      );
    }
    const found = `${uri}, ${/hypervisor: (.*)/i.exec(version.stdout)?.[1] ?? 'QEMU'}`;
    if (network.type !== 'network') return ok(found);
    const info = await virsh('net-info', '--network', network.name);
    if (info.exitCode !== 0)
      return warning(found, `its network "${network.name}", into which NICs are plugged, is not there`, [
        `${sudo}virsh --connect ${uri} net-list --all`,
        'set converter.network, or give --map-network',
      ]);
    if (/Active:\s+no/.test(info.stdout))
      return warning(found, `its network "${network.name}" is not active: VMs that use it do not start`, [
        `${sudo}virsh --connect ${uri} net-start ${network.name}`,
        `${sudo}virsh --connect ${uri} net-autostart ${network.name}`,
      ]);
    return ok(`${found}, network ${network.name}`);
  },
};

export const CONVERSION_CHECKS: readonly Check[] = [kvmCheck, libguestfs, virtioWin, libvirt];
