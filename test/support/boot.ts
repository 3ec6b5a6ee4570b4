/** Boots a disk image in QEMU and watches its serial console for a sign of life. The image stays as it was. */
import { execa } from 'execa';
import { kvmWorks } from './kvm.js';
import { PCI_SLOT } from './guest/recipe.js';

export interface BootOptions {
  /** In the order in which the machine has them; the first boots. */
  disks: { path: string; format: 'raw' | 'qcow2' | 'vmdk' }[];
  /** The machine's disk and network devices: as on VMware (pvscsi, vmxnet3) or virtio alone. */
  devices: 'virtio' | 'vmware';
  limitMs: number;
  /** Default 1024. */
  memoryMib?: number;
  /** What must show on the serial console. */
  until: RegExp;
  /** What ends the wait early without success, such as the initramfs' prompt. */
  failOn?: RegExp;
  nic: { mac: string };
}

export interface BootResult {
  /** Whether `until` matched within the limit. */
  booted: boolean;
  /** Why the wait ended. */
  ended: 'matched' | 'failed' | 'limit' | 'exited';
  /** The serial log so far, without carriage returns. */
  log: string;
  durationMs: number;
  /** The QEMU arguments, to compare two runs. */
  args: string[];
}

/** @throws Error when QEMU itself could not run, with its words */
export async function bootImage(options: BootOptions): Promise<BootResult> {
  const args = [...machineArgs(await kvmWorks(), options), ...deviceArgs(options)];
  const start = Date.now();
  // By way of setpriv, so that QEMU dies with this process, also on kill -9.
  const child = execa('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args], {
    reject: false,
    stdin: 'ignore',
    buffer: { stdout: false },
    timeout: options.limitMs,
    killSignal: 'SIGKILL',
  });
  let log = '';
  let ended: BootResult['ended'] | undefined;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    log += chunk.replaceAll('\r', '');
    if (ended !== undefined) return;
    if (options.until.test(log)) ended = 'matched';
    else if (options.failOn?.test(log)) ended = 'failed';
    if (ended !== undefined) child.kill();
  });
  const result = await child;
  if (ended === undefined && !result.timedOut && result.exitCode !== 0) {
    throw new Error(`QEMU could not run the image: ${result.stderr}`);
  }
  ended ??= result.timedOut ? 'limit' : 'exited';
  return { booted: ended === 'matched', ended, log, durationMs: Date.now() - start, args };
}

/** A restricted user network: DHCP gives 10.0.2.15, and nothing else can be reached. */
function machineArgs(kvm: boolean, options: BootOptions): string[] {
  return [
    ['-machine', 'q35', '-accel', kvm ? 'kvm' : 'tcg,thread=multi', '-cpu', 'max'],
    ['-smp', '2', '-m', String(options.memoryMib ?? 1024)],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot', '-snapshot'],
    ['-netdev', 'user,id=net0,restrict=on'],
    ...options.disks.map((disk, index) => ['-drive', driveOf(disk, index)]),
  ].flat();
}

function driveOf(disk: BootOptions['disks'][number], index: number): string {
  // A comma ends a QEMU option; doubled it is part of the value.
  return `file=${disk.path.replaceAll(',', ',,')},format=${disk.format},if=none,id=disk${index},discard=unmap`;
}

function device(text: string): string[] {
  return ['-device', text];
}

function deviceArgs({ devices, disks, nic }: BootOptions): string[] {
  if (devices === 'virtio') {
    return [
      ...disks.flatMap((_, index) => device(`virtio-blk-pci,drive=disk${index},bootindex=${index}`)),
      ...device(`virtio-net-pci,netdev=net0,mac=${nic.mac}`),
    ];
  }
  return [
    ...device('pvscsi,id=scsi0'),
    ...disks.flatMap((_, index) =>
      device(`scsi-hd,drive=disk${index},bus=scsi0.0,scsi-id=${index},bootindex=${index}`),
    ),
    // On VMware the NIC sits behind a PCIe root port whose physical slot number names it: slot 192 is ens192. The same
    // holds in QEMU once hotplug is left to PCIe itself; with ACPI hotplug the kernel would not show that number.
    '-global',
    'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off',
    ...device(`pcie-root-port,id=nicport,chassis=1,slot=${PCI_SLOT}`),
    ...device(`vmxnet3,bus=nicport,netdev=net0,mac=${nic.mac}`),
  ];
}
