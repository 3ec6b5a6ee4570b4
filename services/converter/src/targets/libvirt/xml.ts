import { diskElements, nicElements } from './devices.js';
import { escape, lines } from './markup.js';
import type { DomainPlan } from './plan.js';

/** Name of the NVRAM beside the images. */
export const NVRAM_FILE = 'nvram.fd';

/** domain.xml: https://libvirt.org/formatdomain.html. `folder` is absolute, where the disks (and the NVRAM) lie. */
export function domainXml(plan: DomainPlan, folder: string): string {
  const { uuid, vcpus, topology } = plan;
  return lines([
    `<domain type='${plan.accelerator}'>`,
    `  <name>${escape(plan.name)}</name>`,
    `  <uuid>${uuid}</uuid>`,
    ...metadataElements(plan),
    `  <memory unit='KiB'>${Math.ceil(plan.memory_bytes / 1024)}</memory>`,
    `  <vcpu placement='static'>${vcpus}</vcpu>`,
    ...osElements(plan, folder),
    ...featureElements(plan),
    `  <cpu mode='${plan.accelerator === 'kvm' ? 'host-model' : 'maximum'}'>`,
    `    <topology sockets='${topology.sockets}' dies='1' cores='${topology.cores}' threads='1'/>`,
    '  </cpu>',
    ...clockElements(plan),
    '  <on_poweroff>destroy</on_poweroff>',
    '  <on_reboot>restart</on_reboot>',
    '  <on_crash>destroy</on_crash>',
    '  <devices>',
    ...diskElements(plan, folder),
    ...nicElements(plan),
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

/** For virt-manager and others that choose devices by the guest's system. */
function metadataElements({ osinfo }: DomainPlan): string[] {
  if (osinfo === undefined) return [];
  return [
    '  <metadata>',
    '    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">',
    `      <libosinfo:os id="${escape(osinfo)}"/>`,
    '    </libosinfo:libosinfo>',
    '  </metadata>',
  ];
}

function osElements(plan: DomainPlan, folder: string): string[] {
  const type = `    <type arch='x86_64' machine='${plan.machine}'>hvm</type>`;
  if (plan.firmware.kind === 'bios') return ['  <os>', type, '  </os>'];
  const { code, vars_template: vars, secure_boot: secure, format } = plan.firmware;
  // libvirt before 9.2 knows raw only, and no such attribute.
  const [codeFormat, varsFormat] =
    format === 'raw' ? ['', `template='${escape(vars)}'`] : [` format='${format}'`, `format='${format}'`];
  return [
    '  <os>',
    type,
    `    <loader readonly='yes' secure='${secure ? 'yes' : 'no'}' type='pflash'${codeFormat}>${escape(code)}</loader>`,
    `    <nvram ${varsFormat}>${escape(`${folder}/${NVRAM_FILE}`)}</nvram>`,
    '  </os>',
  ];
}

/** What Windows measures time and waits with on Hyper-V; only KVM has it. */
const HYPERV = [
  "    <hyperv mode='custom'>",
  "      <relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/>",
  "      <vpindex state='on'/><runtime state='on'/><synic state='on'/><stimer state='on'/><frequencies state='on'/>",
  '    </hyperv>',
];

function featureElements({ firmware, windows, accelerator }: DomainPlan): string[] {
  return [
    '  <features>',
    '    <acpi/><apic/>',
    ...(windows && accelerator === 'kvm' ? HYPERV : []),
    // Only code in system management mode may write the variables of Secure Boot.
    ...(firmware.kind === 'efi' && firmware.secure_boot ? ["    <smm state='on'/>"] : []),
    '  </features>',
  ];
}

/** Windows takes the hardware clock for local time. */
function clockElements({ windows, accelerator }: DomainPlan): string[] {
  if (!windows) return ["  <clock offset='utc'/>"];
  return [
    "  <clock offset='localtime'>",
    "    <timer name='rtc' tickpolicy='catchup'/>",
    "    <timer name='pit' tickpolicy='delay'/>",
    "    <timer name='hpet' present='no'/>",
    ...(accelerator === 'kvm' ? ["    <timer name='hypervclock' present='yes'/>"] : []),
    '  </clock>',
  ];
}
