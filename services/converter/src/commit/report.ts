import path from 'node:path';
import type { Manifest } from './manifest.js';
import { fenced, shellWord, table, text } from './markdown.js';

/** report.md: for the person who will run the VM. */
export function reportMarkdown(manifest: Manifest): string {
  return [
    `# ${text(manifest.vm_name)}`,
    summary(manifest),
    ...section('Look at this', concerns(manifest)),
    ...section('Boot proof', proof(manifest)),
    ...section('What was found', found(manifest)),
    ...section('Changes in the guest', changes(manifest)),
    ...section('The VM on KVM', domain(manifest)),
    ...section('Disks', disks(manifest)),
    ...section('Import by hand', byHand(manifest)),
    ...section('Time', time(manifest)),
    '',
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] => ['', `## ${title}`, '', ...lines];

function summary({ guest, source, converted_at, job_id, duration_seconds }: Manifest): string {
  const machine = `${source.cpus} CPUs, ${mib(source.memory_bytes)}, ${source.firmware.toUpperCase()}`;
  return [
    '',
    `${text(guest.product)} (${text(guest.arch)}), ${machine}.`,
    `Converted ${converted_at} by job ${job_id} in ${Math.round(duration_seconds)} s.`,
  ].join('\n');
}

const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** The worst first. */
function concerns({ concerns: all }: Manifest): string[] {
  if (all.length === 0) return ['Nothing.'];
  return SEVERITIES.flatMap((wanted) =>
    all
      .filter(({ severity }) => severity === wanted)
      .map(({ severity, code, message, advice }) => {
        const rest = advice === '' ? '' : ` — ${text(advice)}`;
        return `- **${severity}** (${text(code)}): ${text(message)}${rest}`;
      }),
  );
}

function proof({ proof: given }: Manifest): string[] {
  if (given === undefined) return ['Not asked for.'];
  const { seconds, hostname, kernel, state, addresses, failed_units, screenshot } = given;
  const said = `host name ${text(hostname)}, kernel ${text(kernel)}, state "${text(state)}"`;
  return [
    `The guest reported from inside after ${seconds} s: ${said}.`,
    '',
    ...addresses.map((each) => `- address: ${text(each)}`),
    ...failed_units.map((each) => `- failed unit: ${text(each)}`),
    `- evidence: \`evidence/serial.log\`, \`evidence/proof.json\`${screenshot ? ', `evidence/screen.png`' : ''}`,
  ];
}

function found({ guest }: Manifest): string[] {
  const { kernels, systemd, file_systems: systems, mountpoints } = guest;
  const paths = (device: string): string =>
    mountpoints
      .filter((each) => each.device === device)
      .map((each) => each.path)
      .join(', ');
  return [
    `- system: ${text(guest.product)}${guest.distro === '' ? '' : ` (${text(guest.distro)})`}`,
    ...(kernels.length === 0 ? [] : [`- kernels, newest first: ${kernels.map(text).join(', ')}`]),
    ...(systemd === undefined ? [] : [`- systemd ${systemd}`]),
    '',
    ...table(
      ['device', 'type', 'UUID', 'label', 'mounted at'],
      systems.map(({ device, type, uuid = '', label = '' }) => [device, type, uuid, label, paths(device)]),
    ),
  ];
}

function changes({ changes: all }: Manifest): string[] {
  if (all.length === 0) return ['None.'];
  const list = table(
    ['step', 'file', 'change'],
    all.map(({ step, file, summary: what }) => [step, file, what]),
  );
  const diffs = all.flatMap(({ diff }) => (diff === undefined ? [] : ['', ...fenced(diff, 'diff')]));
  return [...list, ...diffs];
}

function domain({ domain: plan }: Manifest): string[] {
  const { sockets, cores } = plan.topology;
  const firmware =
    plan.firmware.kind === 'bios' ? 'BIOS' : `UEFI${plan.firmware.secure_boot ? ' with Secure Boot' : ''}`;
  return [
    `- name: ${text(plan.name)}, UUID ${plan.uuid}`,
    `- ${plan.vcpus} CPUs (${sockets} sockets of ${cores} cores), ${mib(plan.memory_bytes)}`,
    `- ${plan.machine}, ${firmware}${plan.tpm ? ', a blank TPM 2.0' : ''}, disks on ${plan.disk_bus}, NICs ${plan.nic_model}`,
    '',
    ...table(
      ['MAC', 'at the source', 'plugged into'],
      plan.nics.map(({ mac, generated, source_network: from = '', network = plan.network }) => [
        `${mac}${generated === true ? ' (generated)' : ''}`,
        from,
        `${network.type} ${network.name}`,
      ]),
    ),
  ];
}

const disks = ({ disks: all }: Manifest): string[] =>
  table(
    ['file', 'from', 'capacity', 'exported, on disk', 'on disk'],
    all.map((disk) => [
      `${disk.file}${disk.compress === undefined ? '' : ` (${disk.compress})`}`,
      disk.source_name,
      `${(disk.capacity_bytes / 1024 ** 3).toFixed(2)} GiB`,
      disk.exported_bytes_on_disk === undefined ? '' : mib(disk.exported_bytes_on_disk),
      disk.bytes_on_disk === undefined ? '' : mib(disk.bytes_on_disk),
    ]),
  );

function byHand({ output_dir: folder, domain: plan, job_id }: Manifest): string[] {
  return [
    `\`hyperctl import --job ${job_id}\` does it, or on the libvirt host, with the folder at the same path:`,
    '',
    ...fenced(
      [
        `virsh define --validate ${shellWord(path.join(folder, 'domain.xml'))}`,
        `virsh start --domain ${plan.uuid}`,
      ].join('\n'),
      'sh',
    ),
    '',
    'Elsewhere `domain.xml` has to name the new place of the images first. Networks and bridges that it names must be there.',
  ];
}

const time = ({ steps_ms: steps }: Manifest): string[] =>
  table(
    ['step', 'seconds'],
    Object.entries(steps).map(([step, ms]) => [step, (ms / 1000).toFixed(1)]),
  );

const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
