import type { ManifestCore } from './manifest.js';

/** report.md: for the person who will run the VM. */
export function reportMarkdown(manifest: ManifestCore): string {
  const { source, guest, proof } = manifest;
  const seconds = Object.entries(manifest.steps_ms).map(([step, ms]) => `| ${step} | ${(ms / 1000).toFixed(1)} |`);
  return [
    `# ${text(manifest.vm_name)}`,
    '',
    `${text(guest.product)} (${guest.arch}), ${source.cpus} CPUs, ${Math.round(source.memory_bytes / 1024 ** 2)} MiB, ${source.firmware.toUpperCase()}.`,
    `Converted ${manifest.converted_at} by job ${manifest.job_id} in ${Math.round(manifest.duration_seconds)} s.`,
    '',
    '## Look at this',
    '',
    ...(manifest.concerns.length === 0 ? ['Nothing.'] : manifest.concerns.map(concernLine)),
    '',
    '## Boot proof',
    '',
    ...(proof === undefined
      ? ['Not asked for.']
      : [
          `The guest reported from inside after ${proof.seconds} s: host name ${text(proof.hostname)}, kernel ${text(proof.kernel)}, systemd "${text(proof.state)}".`,
          ...proof.addresses.map((each) => `- address: ${text(each)}`),
          ...proof.failed_units.map((each) => `- failed unit: ${text(each)}`),
          'Evidence: `evidence/serial.log`, `evidence/proof.json`' +
            (proof.screenshot ? ', `evidence/screen.png`' : ''),
        ]),
    '',
    '## Changes in the guest',
    '',
    ...(manifest.changes.length === 0 ? ['None.'] : ['| step | file | change |', '| --- | --- | --- |']),
    ...manifest.changes.map(({ step, file, summary }) => `| ${step} | ${cell(file)} | ${cell(summary)} |`),
    '',
    '## Disks',
    '',
    '| file | from | capacity |',
    '| --- | --- | --- |',
    ...manifest.disks.map(
      (disk) => `| ${disk.file} | ${cell(disk.source_name)} | ${(disk.capacity_bytes / 1024 ** 3).toFixed(2)} GiB |`,
    ),
    '',
    '## Time',
    '',
    '| step | seconds |',
    '| --- | --- |',
    ...seconds,
    '',
  ].join('\n');
}

const concernLine = ({ severity, message, advice }: ManifestCore['concerns'][number]): string =>
  `- ${severity === 'info' ? '' : `**${severity}:** `}${text(message)}${advice === '' ? '' : ` — ${text(advice)}`}`;

/** What the guest or the source says stays text: no markup, no line ends. */
const text = (value: string): string => value.replace(/[\p{Cc}]/gu, ' ').replace(/[\\`*_[\]<>#]/g, '\\$&');
const cell = (value: string): string => text(value).replaceAll('|', '\\|');
