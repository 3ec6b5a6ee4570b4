/** Small exported disks with a conversion on them that is done and waits for its commit. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { planDomain, writeMarker, type CommitMarker, type WorkPort } from '@hyper2kvm/converter';

export const JOB = 'job-committest';
const TIME = '2026-01-17T10:00:00Z';

export const qemuIo = (image: string, ...commands: string[]): string =>
  execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((each) => ['-c', each]), image], { encoding: 'utf8' });

/** Throws at the nth question, as a worker that lost its lease or died there. */
export function worker(stopsAt = Number.POSITIVE_INFINITY): WorkPort {
  let asked = 0;
  return {
    jobId: JOB,
    attempt: 1,
    epoch: 1,
    signal: new AbortController().signal,
    assertOwner: async () => {
      asked += 1;
      if (asked === stopsAt) throw new Error('stopped here');
    },
    progress: () => {},
    log: () => {},
  };
}

export interface Place {
  jobDir: string;
  artifactDir: string;
  dateDir: string;
  marker: CommitMarker;
}

/** Two exported disks full of 0x11; what the conversion wrote over their second MiB is 0x22. */
export async function prepare(
  root: string,
  name: string,
  changes: Partial<CommitMarker> = {},
  { outputRoot = root, size = 4 * 1024 ** 2 } = {},
): Promise<Place> {
  const jobDir = path.join(root, name, 'work', JOB);
  const artifactDir = path.join(root, name, 'export', JOB);
  const epochDir = path.join(jobDir, 'a1.e1');
  await mkdir(path.join(epochDir, 'evidence'), { recursive: true });
  await mkdir(artifactDir, { recursive: true });
  await writeFile(path.join(epochDir, 'evidence', 'serial.log'), 'login:');
  const images = [1, 2].map((index) => {
    const [base, overlay] = [path.join(artifactDir, `disk${index}.qcow2`), path.join(epochDir, `disk${index}.qcow2`)];
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', base, String(size)]);
    qemuIo(base, `write -P 0x11 0 ${size}`);
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, overlay]);
    qemuIo(overlay, 'write -P 0x22 1M 1M');
    return { base, overlay, format: 'qcow2' as const, output: `disk${index}.qcow2`, capacity_bytes: size };
  });
  const machine = {
    name: 'vm',
    cpus: 1,
    memory_bytes: size,
    firmware: 'bios' as const,
    secure_boot: false,
    disks: [],
    nics: [],
  };
  const domain = planDomain({
    machine,
    uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
    kernel: undefined,
    accelerator: 'qemu',
    firmware: { kind: 'bios' },
    network: { type: 'network', name: 'default' },
    disks: images.map(({ output, format }, index) => ({ index: index + 1, file: output, format })),
  });
  const marker: CommitMarker = {
    version: 1,
    job_id: JOB,
    vm_name: 'vm',
    epoch_folder: 'a1.e1',
    artifact_dir: artifactDir,
    keep_artifact: false,
    images,
    date_dir: path.join(outputRoot, name, 'output', '2026-01-17'),
    domain,
    evidence: ['serial.log'],
    manifest: {
      version: 1,
      job_id: JOB,
      vm_name: 'vm',
      requested_at: TIME,
      converted_at: TIME,
      duration_seconds: 1,
      steps_ms: {},
      source: machine,
      guest: { product: 'Debian', distro: 'debian', arch: 'x86_64', kernels: [], file_systems: [], mountpoints: [] },
      domain,
      disks: images.map(({ output, format }, index) => ({
        index: index + 1,
        file: output,
        format,
        capacity_bytes: size,
        source_name: 'vm.vmdk',
        exported_segments: [],
      })),
      changes: [],
      modifications: { virtio_drivers: true, bootloader_updated: true, network_fixed: true },
      concerns: [],
      tools: {},
    },
    ...changes,
  };
  await writeMarker(jobDir, marker);
  return { jobDir, artifactDir, dateDir: marker.date_dir, marker };
}
