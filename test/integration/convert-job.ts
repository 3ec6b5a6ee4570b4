/** A conversion in a child process, as a worker runs it, without NATS: so that it can be killed at any instant. */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Artifact, ConversionOptions } from '@hyper2kvm/contracts';
import type { Converted, ConverterSettings } from '@hyper2kvm/converter';

export const JOB_ID = 'job-converttest1';
export const MAC = '00:50:56:ab:cd:ef';
export const EXPORT_CONCERN = 'later writes of the source are not in the images';
export const SOURCE_CHECKSUM = `md5:${'0'.repeat(32)}`;
export const CAPACITY = 3 * 1024 ** 3;

const REQUESTED_AT = '2026-01-17T10:00:00Z';

/** Runs in the child: prints one JSON object per line. */
const CHILD = `
import { convert } from '@hyper2kvm/converter';
const { request, settings, work } = JSON.parse(process.argv[1]);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
try {
  const result = await convert(request, settings, {
    ...work,
    signal: new AbortController().signal,
    assertOwner: async () => say({ kind: 'owner' }),
    progress: (progress) => say({ kind: 'progress', ...progress }),
    log: (level, message, fields) => say({ kind: 'log', level, message, ...fields }),
  });
  say({ kind: 'result', result });
} catch (error) {
  say({ kind: 'error', code: error.code, message: error.message, step: error.step });
}
`;

export interface Line {
  readonly kind: 'owner' | 'progress' | 'log' | 'result' | 'error';
  readonly level?: string;
  readonly message?: string;
  readonly code?: string;
  readonly step?: string;
  readonly steps_completed?: number;
  readonly result?: Converted;
}

export interface RunningConversion {
  readonly child: ChildProcess;
  readonly lines: readonly Line[];
  /** Resolves with the first line that fits, or undefined when the child ended without one. */
  until(fits: (line: Line) => boolean): Promise<Line | undefined>;
  readonly exited: Promise<number | null>;
}

export interface Workplace {
  readonly root: string;
  readonly artifactDir: string;
  readonly jobDir: string;
  readonly settings: ConverterSettings;
}

export function workplace(root: string): Workplace {
  const workDir = path.join(root, 'work');
  return {
    root,
    artifactDir: path.join(root, 'export', JOB_ID, 'artifact'),
    jobDir: path.join(workDir, JOB_ID),
    settings: {
      workDir,
      outputDir: path.join(root, 'output'),
      allowedOutputRoots: [],
      proofMemoryBytes: 1024 ** 3,
      libvirtUri: 'qemu:///system',
      network: { type: 'network', name: 'default' },
      keepArtifact: false,
      applianceCacheDir: '/var/tmp',
    },
  };
}

/** What an export leaves: the image and its manifest. The hashes are not looked at by the conversion. */
export async function putArtifact(place: Workplace, image: string, capacityBytes = CAPACITY): Promise<void> {
  await mkdir(place.artifactDir, { recursive: true });
  await copyFile(image, path.join(place.artifactDir, 'disk1.qcow2'));
  const disk = { index: 1, name: 'production-db.vmdk', capacity_bytes: capacityBytes };
  const artifact: Artifact = {
    version: 1,
    job_id: JOB_ID,
    attempt: 1,
    machine: {
      name: 'production-db',
      bios_uuid: '420f5e88-76b8-4e22-bd64-d287210e14ae',
      cpus: 2,
      memory_bytes: 1024 ** 3,
      firmware: 'bios',
      secure_boot: false,
      tpm: true,
      disks: [disk],
      nics: [{ label: 'Network adapter 1', type: 'vmxnet3', mac: MAC, pci_slot: 192 }],
    },
    disks: [
      {
        ...disk,
        file: 'disk1.qcow2',
        format: 'qcow2',
        bytes_downloaded: 1,
        segments: [null],
        verified: false,
        transport: 'file',
        source_checksums: [SOURCE_CHECKSUM],
      },
    ],
    concerns: [EXPORT_CONCERN],
    created_at: REQUESTED_AT,
  };
  await writeFile(path.join(place.artifactDir, 'artifact.json'), JSON.stringify(artifact));
}

export function startConversion(
  place: Workplace,
  epoch: number,
  options: Partial<ConversionOptions> = {},
): RunningConversion {
  const job = {
    request: {
      vm_name: 'production-db',
      artifact_dir: place.artifactDir,
      requested_at: REQUESTED_AT,
      options: {
        fix_fstab: true,
        fix_grub: true,
        fix_network: true,
        to_libvirt: false,
        verify_boot: false,
        proof_timeout_seconds: 600,
        ...options,
      },
    },
    settings: place.settings,
    work: { jobId: JOB_ID, attempt: 1, epoch },
  };
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, JSON.stringify(job)], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  const watchers = new Set<() => void>();
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      resolve(code);
      for (const wake of watchers) wake();
    });
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Line);
    for (const wake of watchers) wake();
  });
  const until = async (fits: (line: Line) => boolean): Promise<Line | undefined> => {
    for (;;) {
      const found = lines.find(fits);
      if (found !== undefined || child.exitCode !== null || child.signalCode !== null) return found;
      await new Promise<void>((resolve) => {
        watchers.add(resolve);
      });
    }
  };
  return { child, lines, until, exited };
}
