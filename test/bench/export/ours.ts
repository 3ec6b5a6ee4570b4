import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { SEGMENT_BYTES } from '@hyper2kvm/contracts';
import { exportVm, transferAndVerify } from '@hyper2kvm/exporter';
import { recordingPorts, settingsFor } from '../../integration/export-setup.js';
import type { BenchJob, Done, Way } from './job.js';

/** The engine as the exporter's service runs it, with its defaults. */
export async function runOurs(job: BenchJob, way: Extract<Way, { kind: 'ours' }>): Promise<Done> {
  const { host: server, username, password, thumbprint } = job.vcenter;
  const { ports } = recordingPorts();
  const { artifactDir, artifact } = await exportVm(
    {
      jobId: 'job-bench1',
      attempt: 1,
      epoch: 1,
      vmName: job.vmName,
      endpoint: { server, username, password, trust: { fingerprints: [thumbprint], insecure: false } },
      options: { transport: way.transport },
    },
    settingsFor(job.folder, { readBack: way.readBack }),
    ports,
  );
  for (const disk of artifact.disks)
    if (disk.verified !== way.readBack || disk.transport !== way.transport)
      throw new Error(`disk ${disk.index} came by ${disk.transport ?? '?'}, verified: ${disk.verified}`);
  return { images: artifact.disks.map(({ file }) => path.join(artifactDir, file)), syncSeconds: 0 };
}

/** What a disk's thread does, from a local file: hash of the stream, decoder, hashes of the content, image, sync. */
export async function runDecoder({ disks: [disk], folder }: BenchJob): Promise<Done> {
  if (disk === undefined) throw new Error('a disk is needed');
  await mkdir(folder, { recursive: true });
  const image = path.join(folder, 'disk1.qcow2');
  await transferAndVerify({
    task: {
      input: { kind: 'vmdk-file', path: disk.vmdk, offset: 0, length: disk.streamBytes },
      path: image,
      capacityBytes: disk.capacityBytes,
      segmentBytes: SEGMENT_BYTES,
      stallTimeoutMs: 60_000,
      bytesPerSecond: null,
      digests: ['sha256'],
    },
    socketPath: path.join(folder, 'nbd'),
    children: recordingPorts().ports.children,
    readBack: false,
    signal: new AbortController().signal,
    progress: () => {},
  });
  return { images: [image], syncSeconds: 0 };
}
