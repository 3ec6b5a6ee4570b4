import { escape } from './markup.js';
import type { DomainPlan } from './plan.js';

/** Disks in their order, each at a fixed place of its bus; the firmware starts from the first. */
export function diskElements(plan: DomainPlan, folder: string): string[] {
  return [
    ...plan.disks.flatMap((disk, index) => [
      "    <disk type='file' device='disk'>",
      `      <driver name='qemu' type='${disk.format}' discard='unmap'/>`,
      `      <source file='${escape(`${folder}/${disk.file}`)}'/>`,
      `      <target dev='${plan.disk_bus === 'virtio' ? 'vd' : 'sd'}${letters(index)}' bus='${plan.disk_bus}'/>`,
      // Firmware connects only what has an order: GRUB would not see a volume group that goes on on another disk.
      `      <boot order='${index + 1}'/>`,
      // libvirt itself would add controllers of another kind after 15 disks.
      ...(plan.disk_bus === 'scsi' ? [`      <address type='drive' controller='0' target='${index}' unit='0'/>`] : []),
      '    </disk>',
    ]),
    ...(plan.disk_bus === 'scsi' ? ["    <controller type='scsi' index='0' model='virtio-scsi'/>"] : []),
  ];
}

export function nicElements(plan: DomainPlan): string[] {
  return plan.nics.flatMap(({ mac, network = plan.network }) => [
    `    <interface type='${network.type}'>`,
    `      <mac address='${mac}'/>`,
    `      <source ${network.type}='${escape(network.name)}'/>`,
    `      <model type='${plan.nic_model}'/>`,
    '    </interface>',
  ]);
}

/** 0 → a, 25 → z, 26 → aa */
export function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}
