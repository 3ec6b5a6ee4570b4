import { cpus } from 'node:os';
import type { DomainPlan } from '../targets/libvirt/index.js';
import { PROOF_PORT } from './agent.js';

/** File names below the folder that QEMU runs in. */
export const SERIAL_LOG = 'serial.log';
export const PORT_LOG = 'port.jsonl';
export const SCREENSHOT = 'screen.png';
export const NVRAM = 'nvram.fd';
export const SERIAL_SOCKET = 'serial.sock';
export const TPM_SOCKET = 'tpm.sock';

/**
 * QEMU with the domain's own devices: same buses, order, MACs and firmware. Only what surrounds the guest differs: less
 * memory, disks on throw-away overlays, and a network that answers DHCP and reaches nothing (nor gives it addresses of its
 * own by IPv6, which no configuration asked for). QMP speaks over stdio.
 * @param overlays absolute, in disk order, qcow2
 * @param tpm a TPM's emulator listens on its socket
 */
export function qemuArgs(plan: DomainPlan, overlays: readonly string[], memoryBytes: number, tpm = false): string[] {
  const port = portsOf(plan.machine);
  const accelerator = plan.accelerator === 'kvm' ? ['-accel', 'kvm'] : ['-accel', 'tcg,thread=multi'];
  const secure = plan.firmware.kind === 'efi' && plan.firmware.secure_boot;
  const nicDevice = plan.nic_model === 'virtio' ? 'virtio-net-pci' : plan.nic_model;
  return [
    ['-name', 'hyper2kvm-proof', '-nodefaults', '-no-user-config', '-display', 'none'],
    ['-machine', `${plan.machine}${secure ? ',smm=on' : ''}`, ...accelerator],
    // Emulated 5-level paging costs time and proves nothing.
    ['-cpu', plan.accelerator === 'kvm' ? 'host' : 'max,la57=off'],
    ['-smp', String(Math.min(plan.vcpus, cpus().length))],
    ['-m', `${Math.floor(Math.min(plan.memory_bytes, memoryBytes) / 1024 ** 2)}M`],
    ['-uuid', plan.uuid],
    ...firmwareArgs(plan),
    ['-chardev', 'stdio,id=qmp', '-mon', 'chardev=qmp,mode=control'],
    ['-chardev', `socket,id=serial,path=${SERIAL_SOCKET},server=on,wait=off,logfile=${SERIAL_LOG}`],
    ['-serial', 'chardev:serial'],
    ['-device', 'VGA'],
    ...(tpm ? [tpmArgs()] : []),
    ...plan.nics.flatMap(({ mac }, index) => [
      ['-netdev', `user,id=net${index},ipv6=off,restrict=on`],
      ['-device', ...port(`${nicDevice},netdev=net${index},mac=${mac}`)],
    ]),
    ...diskControllers(plan, port),
    ...overlays.flatMap((file, index) => [
      ['-drive', `file=${comma(file)},format=qcow2,if=none,id=disk${index},cache=unsafe,discard=unmap`],
      ['-device', ...diskDevice(plan, index, port)],
    ]),
    ['-device', ...port('virtio-serial-pci,id=channels')],
    ['-chardev', `file,id=proof,path=${PORT_LOG}`],
    ['-device', `virtserialport,bus=channels.0,chardev=proof,name=${PROOF_PORT}`],
    ['-object', 'rng-random,id=rng,filename=/dev/urandom', '-device', ...port('virtio-rng-pci,rng=rng')],
    ['-device', ...port('virtio-balloon-pci')],
  ].flat(2);
}

type Port = (device: string) => string[];

const AHCI_PORTS = 6;

function diskControllers({ disk_bus: bus, disks }: DomainPlan, port: Port): string[] {
  if (bus === 'scsi') return ['-device', ...port('virtio-scsi-pci,id=scsi0')];
  if (bus !== 'sata') return [];
  const count = Math.ceil(disks.length / AHCI_PORTS);
  return Array.from({ length: count }, (_, index) => ['-device', `ich9-ahci,id=ahci${index}`]).flat();
}

function diskDevice(plan: DomainPlan, index: number, port: Port): string[] {
  // All of them, as in domain.xml: firmware connects only what has an index, and GRUB sees only what is connected.
  const rest = `drive=disk${index},bootindex=${index + 1}`;
  if (plan.disk_bus === 'scsi') return [`scsi-hd,bus=scsi0.0,scsi-id=${index},lun=0,${rest}`];
  if (plan.disk_bus === 'sata')
    return [`ide-hd,bus=ahci${Math.floor(index / AHCI_PORTS)}.${index % AHCI_PORTS},${rest}`];
  return port(`virtio-blk-pci,${rest}`);
}

/** On q35 each device gets a PCI Express port of its own, as libvirt does it; there virtio speaks 1.0 only. */
function portsOf(machine: DomainPlan['machine']): Port {
  if (machine === 'pc') return (device) => [device];
  let count = 0;
  return (device) => {
    count += 1;
    const place = `multifunction=on,addr=0x${(2 + Math.floor((count - 1) / 8)).toString(16)}.${(count - 1) % 8}`;
    return [`pcie-root-port,id=port${count},chassis=${count},${place}`, '-device', `${device},bus=port${count}`];
  };
}

function firmwareArgs(plan: DomainPlan): string[] {
  if (plan.firmware.kind === 'bios') return [];
  return [
    ['-drive', `if=pflash,format=${plan.firmware.format},unit=0,readonly=on,file=${comma(plan.firmware.code)}`],
    ['-drive', `if=pflash,format=${plan.firmware.format},unit=1,file=${NVRAM}`],
    plan.firmware.secure_boot ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : [],
  ].flat();
}

const tpmArgs = (): string[] =>
  [
    ['-chardev', `socket,id=tpm,path=${TPM_SOCKET}`],
    ['-tpmdev', 'emulator,id=tpm0,chardev=tpm'],
    ['-device', 'tpm-crb,tpmdev=tpm0'],
  ].flat();

/** QEMU's option syntax: a comma within a value is doubled. */
const comma = (value: string): string => value.replaceAll(',', ',,');
