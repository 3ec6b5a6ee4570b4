import path from 'node:path';
import type { Machine } from '@hyper2kvm/contracts';
import type { ApplianceDisk } from '../../guest/index.js';
import { escape } from '../../targets/libvirt/markup.js';

/**
 * The source VM as `-i libvirtxml` reads it. Only disks, firmware and NICs matter to an in-place conversion; what the
 * converted VM will be is planned elsewhere. Each disk with its format: virt-v2v would guess it otherwise.
 */
export function sourceXml(machine: Machine, disks: readonly ApplianceDisk[]): string {
  return [
    "<domain type='vmware'>",
    // A name that is empty after escaping is refused.
    `  <name>${escape(machine.name) || 'vm'}</name>`,
    `  <memory unit='KiB'>${Math.ceil(machine.memory_bytes / 1024)}</memory>`,
    `  <vcpu>${machine.cpus}</vcpu>`,
    machine.firmware === 'efi' ? "  <os firmware='efi'>" : '  <os>',
    "    <type arch='x86_64'>hvm</type>",
    ...(machine.firmware === 'efi' ? ["    <loader type='pflash'/>"] : []),
    '  </os>',
    '  <features><acpi/><apic/></features>',
    '  <devices>',
    ...disks.flatMap(({ file, format }, index) => [
      "    <disk type='file' device='disk'>",
      `      <driver name='qemu' type='${format}'/>`,
      `      <source file='${escape(path.resolve(file))}'/>`,
      `      <target dev='sd${letters(index)}' bus='scsi'/>`,
      '    </disk>',
    ]),
    ...machine.nics.flatMap(({ mac, network }) => [
      "    <interface type='network'>",
      ...(mac === undefined ? [] : [`      <mac address='${mac}'/>`]),
      `      <source network='${escape(network ?? '') || 'default'}'/>`,
      "      <model type='vmxnet3'/>",
      '    </interface>',
    ]),
    '  </devices>',
    '</domain>',
    '',
  ].join('\n');
}

/** 0 → a, 25 → z, 26 → aa */
function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
