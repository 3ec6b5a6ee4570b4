import type { DomainPlan } from './plan.js';

/** domain.xml: https://libvirt.org/formatdomain.html. `folder` is absolute, where the disks (and the NVRAM) lie. */
export function domainXml(plan: DomainPlan, folder: string): string {
  const { uuid, vcpus, topology, network } = plan;
  return lines([
    `<domain type='${plan.accelerator}'>`,
    `  <name>${escape(plan.name)}</name>`,
    `  <uuid>${uuid}</uuid>`,
    `  <memory unit='KiB'>${Math.ceil(plan.memory_bytes / 1024)}</memory>`,
    `  <vcpu placement='static'>${vcpus}</vcpu>`,
    ...osElements(plan, folder),
    '  <features><acpi/><apic/>' + (isSecure(plan) ? "<smm state='on'/>" : '') + '</features>',
    `  <cpu mode='${plan.accelerator === 'kvm' ? 'host-model' : 'maximum'}'>`,
    `    <topology sockets='${topology.sockets}' dies='1' cores='${topology.cores}' threads='1'/>`,
    '  </cpu>',
    "  <clock offset='utc'/>",
    '  <on_poweroff>destroy</on_poweroff>',
    '  <on_reboot>restart</on_reboot>',
    '  <on_crash>destroy</on_crash>',
    '  <devices>',
    ...plan.disks.flatMap((disk, index) => diskElements(plan, `${folder}/${disk.file}`, disk.format, index)),
    ...(plan.disk_bus === 'scsi' ? ["    <controller type='scsi' index='0' model='virtio-scsi'/>"] : []),
    ...plan.nics.flatMap(({ mac }) => [
      `    <interface type='${network.type}'>`,
      `      <mac address='${mac}'/>`,
      `      <source ${network.type}='${escape(network.name)}'/>`,
      "      <model type='virtio'/>",
      '    </interface>',
    ]),
    "    <serial type='pty'><target port='0'/></serial>",
    "    <console type='pty'><target type='serial' port='0'/></console>",
    "    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    "    <input type='tablet' bus='usb'/>",
    "    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/></graphics>",
    "    <video><model type='vga'/></video>",
    ...(plan.tpm ? ["    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"] : []),
    "    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
    "    <memballoon model='virtio'/>",
    '  </devices>',
    '</domain>',
    '',
  ]);
}

const isSecure = (plan: DomainPlan): boolean => plan.firmware.kind === 'efi' && plan.firmware.secure_boot;

function osElements(plan: DomainPlan, folder: string): string[] {
  const type = `    <type arch='x86_64' machine='${plan.machine}'>hvm</type>`;
  if (plan.firmware.kind === 'bios') return ['  <os>', type, '  </os>'];
  const { code, vars_template: vars, secure_boot: secure } = plan.firmware;
  return [
    '  <os>',
    type,
    `    <loader readonly='yes' secure='${secure ? 'yes' : 'no'}' type='pflash'>${escape(code)}</loader>`,
    `    <nvram template='${escape(vars)}'>${escape(`${folder}/nvram.fd`)}</nvram>`,
    '  </os>',
  ];
}

function diskElements(plan: DomainPlan, file: string, format: string, index: number): string[] {
  const prefix = plan.disk_bus === 'virtio' ? 'vd' : 'sd';
  return [
    "    <disk type='file' device='disk'>",
    `      <driver name='qemu' type='${format}' discard='unmap'/>`,
    `      <source file='${escape(file)}'/>`,
    `      <target dev='${prefix}${letters(index)}' bus='${plan.disk_bus}'/>`,
    ...(index === 0 ? ["      <boot order='1'/>"] : []),
    '    </disk>',
  ];
}

/** 0 → a, 25 → z, 26 → aa */
export function letters(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

/** Everything is text from outside: names of VMs may hold anything that XML allows, the rest goes. */
function escape(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll("'", '&apos;')
    .replaceAll('"', '&quot;');
}

const lines = (all: readonly string[]): string => all.join('\n');
