import { durationWord, ERRORS, type JobCompleted, type JobFailed, type ProofResult } from '@hyper2kvm/contracts';
import type { JobFact } from '../fact.js';
import { oneLine, shellWord } from './escape.js';
import type { View } from './view.js';
import { gigabytes, plural, secondsBetween } from './words.js';

/** vSphere's names have 80 characters at most. */
const NAME = 120;

/** The end of a job. */
export function jobView(fact: JobFact): View {
  const { data } = fact;
  const shared = {
    [fact.kind]: true,
    vm_name: oneLine(data.vm_name, NAME),
    job_id: data.job_id,
    batch_id: data.batch_id,
    priority: data.priority,
    tags: data.tags?.map((tag) => oneLine(tag, NAME)).join(', '),
    trace_id: data.trace_id,
    time: fact.time,
  };
  switch (fact.kind) {
    case 'completed':
      return { ...shared, ...completed(fact.data, shared.vm_name) };
    case 'failed':
      return { ...shared, ...failed(fact.data, shared.vm_name) };
    case 'cancelled':
      return {
        ...shared,
        headline: `${shared.vm_name} was cancelled.`,
        cancelled_by: fact.data.cancelled_by,
        commands: commandsOf(fact.data.job_id),
      };
  }
}

function completed(job: JobCompleted, vm: string): View {
  const { result } = job;
  return {
    headline: `${vm} was converted to KVM. ${proofSentence(result.proof)}`,
    duration: durationWord(secondsBetween(job.created_at, job.completed_at)),
    guest: result.guest.product ?? result.guest.distro,
    size: gigabytes(result.disks.reduce((sum, disk) => sum + disk.capacity_bytes, 0)),
    disks: plural(result.disks.length, 'disk'),
    downloaded: gigabytes(job.bytes_downloaded),
    output_dir: result.output_dir,
    files: [...result.files, result.domain_xml, result.manifest],
    libvirt_domain: result.libvirt_domain,
    has_concerns: result.concerns.length > 0,
    concerns: result.concerns,
    proven: result.proof?.booted ?? false,
    proof: proofView(result.proof),
    commands: [startCommand(job), `hyperctl logs --job ${job.job_id}`],
  };
}

function failed(job: JobFailed, vm: string): View {
  const { failure } = job;
  const { title } = ERRORS[failure.code];
  return {
    headline: `${vm} was not converted: ${title}.`,
    duration: durationWord(secondsBetween(job.created_at, job.completed_at)),
    phase: job.phase,
    step: failure.step,
    error_code: failure.code,
    error_title: title,
    error: failure.message,
    error_file: job.error_file,
    // The advice of the error table says "<id>" where the job's goes.
    advice: failure.advice.replaceAll('<id>', job.job_id),
    attempts: job.retry_count + 1,
    commands: commandsOf(job.job_id),
  };
}

const commandsOf = (id: string): string[] => [`hyperctl status --job ${id}`, `hyperctl logs --job ${id}`];

function proofSentence(proof: ProofResult | undefined): string {
  if (!proof) return 'Whether it boots was not tried.';
  return proof.booted
    ? `The converted guest booted and reported from inside after ${durationWord(proof.seconds)}.`
    : 'The converted guest did not report that it boots.';
}

const proofView = (proof: ProofResult | undefined): View | undefined =>
  proof && {
    seconds: durationWord(proof.seconds),
    hostname: proof.hostname,
    kernel: proof.kernel,
    addresses: proof.addresses.join(', '),
    failed_units: proof.failed_units.join(', '),
    serial_log: proof.serial_log,
    screenshot: proof.screenshot,
  };

const startCommand = ({ result }: JobCompleted): string =>
  result.libvirt_domain === undefined
    ? `virsh define ${shellWord(result.domain_xml)}`
    : `virsh start ${shellWord(result.libvirt_domain)}`;
