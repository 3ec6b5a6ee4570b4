import path from 'node:path';
import { concernOf, type Concern, type Machine } from '@hyper2kvm/contracts';
import { runGuarded } from '@hyper2kvm/runtime';
import type { LoadedArtifact } from './artifact/index.js';
import { bytesOnDisk, syncPath, type CommitMarker, type ManifestCore } from './commit/index.js';
import type { Conversion } from './convert.js';
import type { EngineResult } from './engines/index.js';
import type { ApplianceDisk, GuestFacts } from './guest/index.js';
import type { StepReporter } from './progress.js';
import type { Proof } from './proof/index.js';
import type { DomainPlan } from './targets/libvirt/index.js';
import { domainConcerns } from './targets/libvirt/index.js';
import { toolVersions } from './tools.js';
import type { ConverterSettings, WorkPort } from './work.js';

interface Ready {
  readonly request: Conversion;
  readonly settings: ConverterSettings;
  readonly work: WorkPort;
  readonly reporter: StepReporter;
  readonly dateDir: string;
  readonly started: number;
  readonly folder: string;
  readonly loaded: LoadedArtifact;
  readonly machine: Machine;
  readonly disks: readonly ApplianceDisk[];
  readonly domain: DomainPlan;
  readonly guest: GuestFacts;
  readonly converted: EngineResult;
  readonly proof: Proof | undefined;
}

/** Everything that the commit needs, so that it can be finished without this process. The overlays are on the disk then. */
export async function prepareCommit(ready: Ready): Promise<CommitMarker> {
  const { request, work, loaded, disks, proof, domain } = ready;
  for (const { file } of disks) {
    await runGuarded('qemu-img', ['check', '-q', '-f', 'qcow2', '-r', 'leaks', file], { signal: work.signal });
    // The appliance wrote past the host's flushes.
    await syncPath(file);
  }
  if (proof !== undefined) await syncPath(proof.evidence);
  const manifest = await manifestOf(ready);
  return {
    version: 1,
    job_id: work.jobId,
    vm_name: request.vm_name,
    epoch_folder: path.basename(ready.folder),
    artifact_dir: request.artifact_dir,
    keep_artifact: ready.settings.keepArtifact,
    images: loaded.images.map(({ file, format, disk }, index) => ({
      base: file,
      overlay: disks[index]?.file ?? '',
      format,
      capacity_bytes: disk.capacity_bytes,
      output: domain.disks[index]?.file ?? '',
      output_format: domain.disks[index]?.format ?? format,
      ...optional('compress', request.options.compress),
    })),
    date_dir: ready.dateDir,
    domain,
    evidence: proof === undefined ? [] : ['serial.log', 'proof.json', ...(proof.screenshot ? ['screen.png'] : [])],
    manifest,
  };
}

async function manifestOf({
  request,
  work,
  reporter,
  started,
  loaded,
  machine,
  domain,
  guest,
  converted,
  proof,
}: Ready): Promise<ManifestCore> {
  const { changes, kernels } = converted;
  const ofDomain = await domainConcerns(domain, machine);
  for (const { severity, message } of ofDomain) {
    work.log(severity === 'info' ? 'info' : 'warn', message, { step: 'domain' });
  }
  const onDisk = await Promise.all(loaded.images.map(({ file }) => bytesOnDisk(file)));
  const changedBy = (step: string): boolean => changes.some((change) => change.step === step);
  return {
    version: 1,
    job_id: work.jobId,
    vm_name: request.vm_name,
    requested_at: request.requested_at,
    converted_at: new Date().toISOString(),
    duration_seconds: Math.round((performance.now() - started) / 100) / 10,
    steps_ms: { ...reporter.durationsMs },
    source: machine,
    guest: {
      product: guest.product,
      distro: guest.distro,
      arch: guest.arch,
      kernels: [...kernels],
      ...(guest.systemd === undefined ? {} : { systemd: guest.systemd }),
      file_systems: [...guest.fileSystems],
      mountpoints: [...guest.mountpoints],
    },
    ...optional('target', request.options.target),
    domain,
    disks: loaded.images.map(({ format, disk }, index) => ({
      index: index + 1,
      file: domain.disks[index]?.file ?? '',
      format: domain.disks[index]?.format ?? format,
      capacity_bytes: disk.capacity_bytes,
      ...optional('compress', request.options.compress),
      exported_bytes_on_disk: onDisk[index] ?? 0,
      source_name: disk.name,
      exported_segments: disk.segments,
      ...optional('transport', disk.transport),
      ...optional('stream_sha256', disk.stream_sha256),
      ...optional('source_checksums', disk.source_checksums),
    })),
    changes: [...changes],
    modifications: {
      virtio_drivers: changedBy('initramfs') || changedBy('virt-v2v'),
      bootloader_updated: changedBy('bootloader'),
      network_fixed: changedBy('network'),
    },
    concerns: [...exportConcerns(loaded), ...converted.concerns, ...ofDomain, ...concernsOf(proof)],
    ...(proof === undefined ? {} : { proof: proofOf(proof) }),
    tools: await toolVersions(),
  };
}

/** What the export left for the person who will run the VM. */
function exportConcerns({ artifact, images }: LoadedArtifact): Concern[] {
  const unverified = images.filter(({ disk }) => !disk.verified);
  return [
    ...(artifact.concerns ?? []).map((each) => concernOf('EXPORT', each)),
    ...unverified.map(({ disk }) =>
      concernOf('EXPORT_NOT_VERIFIED', `export: ${disk.file} was not read back and compared after it was written`),
    ),
  ];
}

const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, V>);

function proofOf({ report, seconds, addresses, screenshot }: Proof): ManifestCore['proof'] {
  const { hostname, kernel, state, failed_units } = report;
  return { booted: true, seconds, hostname, kernel, state, addresses: [...addresses], failed_units, screenshot };
}

function concernsOf(proof: Proof | undefined): Concern[] {
  if (proof === undefined) return [];
  const failed = proof.report.failed_units.map((unit) =>
    concernOf('PROOF_UNIT_FAILED', `proof: the unit ${unit} failed in the guest`),
  );
  const silent = proof.report.nics.length > 0 && proof.addresses.length === 0;
  return silent ? [...failed, concernOf('PROOF_NO_ADDRESS', 'proof: no NIC of the guest had an address')] : failed;
}
