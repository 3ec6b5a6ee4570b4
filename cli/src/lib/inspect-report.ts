import { durationWord, type Inspection, type PlannedChange } from '@hyper2kvm/contracts';
import { concernLines } from './concerns.js';
import { plural, printable, sizeWord } from './format.js';
import type { Paint } from './width.js';

export interface ReportOptions {
  readonly paint: Paint;
  /** Of the VM: `vcenter.example.com`, `local files`. */
  readonly origin: string;
  /** Changes of text files are shown as diffs. */
  readonly diff: boolean;
}

const LABEL = 15;
const row = (label: string, value: string): string => `${`${label}:`.padEnd(LABEL)}${value}`;
/** A heading and what is below it; nothing where there is nothing. */
const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

/** An inspection for people: what it is, what would be done, what worries, what it takes. */
export function inspectionLines(seen: Inspection, { paint, origin, diff }: ReportOptions): string[] {
  const { inspection, not_inspected: reason, refusal } = seen;
  return [
    paint('bold', `🔎 ${printable(seen.vm_name)} (${printable(origin)})`),
    ...machineRows(seen),
    ...(inspection === null ? [] : guestRows(inspection)),
    ...(reason === null || refusal?.message === reason ? [] : [row('Not inspected', printable(reason))]),
    ...section(
      'What would be done:',
      (inspection?.changes ?? []).flatMap((change) => changeLines(change, diff, paint)),
    ),
    ...(inspection !== null && inspection.changes.length === 0 ? ['', 'Nothing in the guest would be changed.'] : []),
    ...section('Concerns:', concernLines(seen.concerns, paint)),
    ...section('Estimate:', estimateLines(seen.estimate)),
    ...(refusal === null
      ? []
      : [
          '',
          paint('red', `❌ It would be refused: ${printable(refusal.message)} (${printable(refusal.code)})`),
          ...(refusal.advice === '' ? [] : [`   Try: ${printable(refusal.advice)}`]),
        ]),
  ];
}

function machineRows({ machine }: Inspection): string[] {
  const { disks, nics } = machine;
  const capacity = disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const traits = [
    machine.firmware === 'efi' ? 'UEFI' : 'BIOS',
    ...(machine.secure_boot ? ['Secure Boot'] : []),
    ...(machine.tpm === true ? ['TPM'] : []),
  ];
  const memory = `${Math.round(machine.memory_bytes / 2 ** 20)} MiB`;
  return [
    row('Machine', `${plural(machine.cpus, 'CPU')}, ${memory}, ${traits.join(', ')}`),
    row('Disks', `${disks.length}, ${sizeWord(capacity)} in all`),
    row('NICs', nics.length === 0 ? 'none' : nics.map(({ network, label }) => printable(network ?? label)).join(', ')),
  ];
}

function guestRows({ guest, engine }: NonNullable<Inspection['inspection']>): string[] {
  if (guest.type === 'none') return [row('Guest OS', 'none: the disks hold data only')];
  return [
    row('Guest OS', `${printable(guest.product)} (${printable(guest.arch)}, ${printable(guest.init)})`),
    row('Root', printable(guest.root)),
    ...(guest.kernels.length === 0 ? [] : [row('Kernels', guest.kernels.map(printable).join(', '))]),
    ...(guest.mountpoints.length === 0 ? [] : [row('File systems', mountsOf(guest.mountpoints))]),
    row('Engine', engine),
  ];
}

const mountsOf = (mounts: readonly { path: string; device: string }[]): string =>
  mounts.map((at) => printable(`${at.path} on ${at.device}`)).join(', ');

function changeLines({ step, file, summary, diff: text }: PlannedChange, diff: boolean, paint: Paint): string[] {
  const what = file === '' ? printable(summary) : `${printable(file)}: ${printable(summary)}`;
  return [`   ${step.padEnd(LABEL - 3)}${what}`, ...(diff && text !== undefined ? diffLines(text, paint) : [])];
}

const diffLines = (text: string, paint: Paint): string[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const shown = `      ${printable(line)}`;
      if (/^(\+\+\+|---)/.test(line)) return paint('dim', shown);
      if (line.startsWith('+')) return paint('green', shown);
      return line.startsWith('-') ? paint('red', shown) : shown;
    });

function estimateLines(estimate: Inspection['estimate']): string[] {
  const { export_seconds: exporting, conversion_seconds: converting, free_bytes: free } = estimate;
  const times = [
    ...(exporting === null ? [] : [`export ${durationWord(exporting)}`]),
    ...(converting === null ? [] : [`conversion ${durationWord(converting)}`]),
  ];
  const space = `${sizeWord(estimate.space_bytes)} at most`;
  return [
    `   ${row('Time', times.length === 0 ? 'not known before the first job is through' : times.join(', '))}`,
    `   ${row('Space', free === null ? space : `${space}, ${sizeWord(free)} free`)}`,
  ];
}
