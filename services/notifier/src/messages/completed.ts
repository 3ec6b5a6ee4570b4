import { durationWord, type JobCompleted, type ProofResult } from '@hyper2kvm/contracts';
import { oneLine, shellWord } from './escape.js';
import { gigabytes, plural, secondsBetween, section, type Report, type ReportSection } from './report.js';

/** A VM that arrived. */
export function completedReport(job: JobCompleted): Report {
  const { result } = job;
  const capacity = result.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0);
  const guest = result.guest.product ?? result.guest.distro;
  const vm = oneLine(job.vm_name, 120);
  return {
    subject: `[hyper2kvm] ${vm}: converted${result.proof?.booted ? ', proven to boot' : ''}`,
    outcome: 'completed',
    headline: `${vm} was converted to KVM. ${proofSentence(result.proof)}`,
    facts: [
      ['VM', oneLine(job.vm_name)],
      ['Job', job.job_id],
      ...(guest === undefined ? [] : [['Guest', guest] as const]),
      ['Duration', durationWord(secondsBetween(job.created_at, job.completed_at))],
      [
        'Size',
        `${gigabytes(capacity)} on ${plural(result.disks.length, 'disk')}, ${gigabytes(job.bytes_downloaded)} downloaded`,
      ],
      ['Output', result.output_dir],
      ...(result.libvirt_domain === undefined ? [] : [['libvirt domain', result.libvirt_domain] as const]),
      ...(job.tags.length === 0 ? [] : [['Tags', job.tags.join(', ')] as const]),
      ...(job.trace_id === undefined ? [] : [['Trace', job.trace_id] as const]),
    ],
    sections: [
      ...section('Look at this', result.concerns),
      ...(result.proof ? proofSection(result.proof) : []),
      ...section('Files', [...result.files, result.domain_xml, result.manifest], true),
      ...section('Next', [startCommand(job), `hyperctl logs --job ${job.job_id}`], true),
    ],
  };
}

function proofSentence(proof: ProofResult | undefined): string {
  if (!proof) return 'Whether it boots was not tried.';
  return proof.booted
    ? `The converted guest booted and reported from inside after ${durationWord(proof.seconds)}.`
    : 'The converted guest did not report that it boots.';
}

function proofSection(proof: ProofResult): ReportSection[] {
  const shown: readonly (readonly [string, string | undefined])[] = [
    ['Hostname', proof.hostname],
    ['Kernel', proof.kernel],
    ['Addresses', proof.addresses.join(', ') || undefined],
    ['Failed units', proof.failed_units.join(', ') || undefined],
    ['Serial log', proof.serial_log],
    ['Screenshot', proof.screenshot],
  ];
  return section(
    'Boot proof',
    shown.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${value}`])),
  );
}

const startCommand = ({ result }: JobCompleted): string =>
  result.libvirt_domain === undefined
    ? `virsh define ${shellWord(result.domain_xml)}`
    : `virsh start ${shellWord(result.libvirt_domain)}`;
