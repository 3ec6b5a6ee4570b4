import { createHash } from 'node:crypto';
import { JobError } from '@hyper2kvm/contracts';
import { serveImage } from '@hyper2kvm/runtime';
import type { DiskAccess, PreparedSource, SourceDiskPlan } from '../source.js';
import type { Looking } from './disk-file.js';
import { verifyDigest, type DigestName } from './files/digest.js';
import { asText, assertUnchanged, type FileIdentity } from './files/identity.js';
import { SourceFile, part } from './files/source-file.js';
import type { LocalDisk, LocalMachine } from './local-machine.js';
import { checkImage, type QemuImage } from './qemu.js';
import { openSocket } from './socket.js';

type StreamDigest = Exclude<DigestName, 'sha512'>;

/** Files whose content is known to be what was given; each disk is read from where it lies. */
export class PreparedFiles implements PreparedSource {
  readonly binding: string;
  /** Files stay readable; what changes is noticed at the end of each disk. */
  readonly lost: AbortSignal = new AbortController().signal;
  private readonly all: readonly FileIdentity[];
  private readonly servers = new Set<() => Promise<void>>();

  private constructor(
    private readonly local: LocalMachine,
    private readonly workDir: string,
    private readonly signal: AbortSignal,
  ) {
    this.all = [...local.files, ...local.disks.flatMap(({ files }) => files)];
    const hash = createHash('sha256');
    for (const file of this.all) hash.update(`${asText(file)}\n`);
    this.binding = `files ${hash.digest('hex')}`;
  }

  /**
   * Compares every checksum that is not compared while the disks are read. That takes as long as reading these files does.
   * @throws JobError SOURCE_CHECKSUM, SOURCE_CHANGED, SOURCE_INVALID
   */
  static async prepare(local: LocalMachine, workDir: string, looking: Looking): Promise<PreparedFiles> {
    const prepared = new PreparedFiles(local, workDir, looking.signal);
    await assertUnchanged(prepared.all);
    for (const { path: file, name, offset, length, digest } of local.verifications)
      await SourceFile.use(file, looking.allowed, (opened) =>
        verifyDigest(part(opened, name, offset, length), digest, looking.signal),
      );
    for (const { content } of local.disks)
      if (content.kind === 'image') await checkImage(looking.children, content.image, looking.signal);
    await assertUnchanged(prepared.all);
    return prepared;
  }

  async access(plan: SourceDiskPlan): Promise<DiskAccess> {
    const { content, files, expected } = this.disk(plan);
    await assertUnchanged(files);
    if (content.kind === 'image') return this.serve(content.image);
    const { path: file, offset, length } = content;
    const digests = expected.map(({ algorithm }) => algorithm as StreamDigest);
    return { input: { kind: 'vmdk-file', path: file, offset, length }, transport: 'file', digests };
  }

  /** @throws JobError SOURCE_CHANGED when the disk is not what it was before it was read */
  async digestsOf(plan: SourceDiskPlan): Promise<Partial<Record<StreamDigest, string>>> {
    const { files, expected } = this.disk(plan);
    await assertUnchanged(files);
    return Object.fromEntries(expected.map(({ algorithm, value }) => [algorithm, value]));
  }

  /** Of whole files only: a part of an archive may be anything. SHA-512 has no place in an artifact. */
  checkedBefore(plan: SourceDiskPlan): readonly string[] {
    const { files } = this.disk(plan);
    return this.local.verifications
      .filter(
        ({ path, length, digest }) =>
          digest.algorithm !== 'sha512' && files.some((file) => file.path === path && file.sizeBytes === length),
      )
      .map(({ digest }) => `${digest.algorithm}:${digest.value}`);
  }

  async complete(): Promise<void> {
    await assertUnchanged(this.all);
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers].map((stop) => stop()));
  }

  private disk(plan: SourceDiskPlan): LocalDisk {
    const disk = this.local.disks.find(({ index }) => index === plan.index);
    if (disk === undefined) throw new JobError('INTERNAL', `there is no disk ${plan.index}`);
    return disk;
  }

  private async serve(image: QemuImage): Promise<DiskAccess> {
    const socket = await openSocket(this.workDir);
    try {
      const server = await serveImage(image.name, image.driver, socket.path, this.signal);
      const lost = new AbortController();
      void server.ended.then((error) => lost.abort(new JobError('EXPORT_TRANSFER', error.message)));
      const close = async (): Promise<void> => {
        if (!this.servers.delete(close)) return;
        await server.stop();
        await socket.remove();
      };
      this.servers.add(close);
      return { input: { kind: 'qemu', socketPath: socket.path }, transport: 'file', lost: lost.signal, close };
    } catch (error) {
      await socket.remove();
      throw error;
    }
  }
}
