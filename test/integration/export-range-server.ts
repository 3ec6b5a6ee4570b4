/** A disk behind a real HTTPS server that serves ranges, and misbehaves where a test says so. */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { transferAndVerify, type RangesInput, type TransferResult, type TransferTask } from '@hyper2kvm/exporter';
import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
import { execa } from 'execa';
import { expect } from 'vitest';
import { removeFolder, sameContent, tempFolder } from './export-setup.js';

export const MIB = 2 ** 20;
/** Small segments, so that a small disk has several; a quarter of one is what a transfer goes on by. */
const SEGMENT_BYTES = 4 * MIB;
/** An end that is no multiple of 64 KiB. */
export const CAPACITY = 25 * MIB + 512 * 9;
const LAST_MODIFIED = 'Mon, 02 Nov 2026 10:00:00 GMT';
const ETAG = '"5f1"';

export interface Asked {
  readonly start: number;
  readonly end: number;
}

/** Answers a range that was asked for; returns false to let the server answer as it should. */
export type Behaviour = (asked: Asked, response: ServerResponse, request: IncomingMessage, serial: number) => boolean;

export const headersFor = ({ start, end }: Asked): Record<string, string | number> => ({
  'Content-Range': `bytes ${start}-${end - 1}/${CAPACITY}`,
  'Content-Length': end - start,
  'Last-Modified': LAST_MODIFIED,
  ETag: ETAG,
});

export class RangeServer {
  behaviour: Behaviour = () => false;
  asked: Asked[] = [];
  cookies = new Set<string | undefined>();
  /** Bytes of good answers. */
  sent = 0;
  connections = 0;
  private serial = 0;

  private constructor(
    readonly folder: string,
    /** The disk as a file. */
    readonly raw: string,
    readonly disk: Buffer,
    private readonly server: Server,
    private readonly fingerprint: string,
  ) {
    server.on('secureConnection', () => this.connections++);
    server.on('request', (request, response) => this.serve(request, response));
  }

  static async start(): Promise<RangeServer> {
    const folder = await tempFolder();
    const raw = await makeRaw(folder);
    const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=vcenter.invalid', '-days', '2'];
    await execa('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
    const { stdout } = await execa('openssl', ['x509', '-in', cert, '-noout', '-fingerprint', '-sha256']);
    const server = createServer({ key: await readFile(key), cert: await readFile(cert) });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new RangeServer(folder, raw, await readFile(raw), server, stdout.split('=')[1] ?? '');
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await removeFolder(this.folder);
  }

  /** Good from here on, and counting from zero. */
  reset(): void {
    this.behaviour = () => false;
    this.asked = [];
    this.cookies = new Set();
    this.sent = 0;
    this.connections = 0;
  }

  answer(range: Asked, response: ServerResponse, headers: Record<string, string | number> = {}): void {
    this.sent += range.end - range.start;
    response.writeHead(206, { ...headersFor(range), ...headers }).end(this.disk.subarray(range.start, range.end));
  }

  /** Of a new image. */
  task(change: Partial<TransferTask> = {}, input: Partial<RangesInput> = {}): TransferTask {
    const file = path.join(this.folder, `out${this.serial++}.qcow2`);
    const { port } = this.server.address() as { port: number };
    return {
      input: {
        kind: 'ranges',
        url: `https://127.0.0.1:${port}/folder/web/web-flat.vmdk?dcPath=DC0&dsName=ds`,
        trust: { fingerprints: [this.fingerprint], insecure: false },
        connections: 4,
        sizeBytes: CAPACITY,
        lastModified: LAST_MODIFIED,
        etag: ETAG,
        ...input,
      },
      path: file,
      capacityBytes: CAPACITY,
      segmentBytes: SEGMENT_BYTES,
      stallTimeoutMs: 30_000,
      bytesPerSecond: null,
      digests: [],
      journal: { path: `${file}.journal`, binding: 'snapshot-1' },
      ...change,
    };
  }

  async transfer(
    task: TransferTask,
    signal: AbortSignal = new AbortController().signal,
    readBack = true,
  ): Promise<TransferResult> {
    return transferAndVerify({
      task,
      readBack,
      socketPath: path.join(this.folder, `${this.serial++}.nbd`),
      children: { spawn: spawnGuarded, run: runGuarded },
      signal,
      progress: () => {},
    });
  }

  /** A transfer that ends well, with the content compared. */
  async complete(task: TransferTask): Promise<TransferResult> {
    const result = await this.transfer(task);
    expect(result.segments).toEqual(segmentsOf(this.disk));
    expect(await sameContent(task.path, this.raw)).toBe(true);
    return result;
  }

  /** A transfer that fails; what it wrote is no image. */
  async refused(task: TransferTask): Promise<JobError> {
    const error: unknown = await this.transfer(task).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`);
    const info = await execa('qemu-img', ['info', '-f', 'qcow2', task.path], { reject: false });
    expect(info.exitCode).not.toBe(0);
    return error;
  }

  /** Breaks a transfer off when all ranges that end at `bytes` or before are on the disk, and none behind them. */
  async brokenOff(task: TransferTask, bytes: number): Promise<void> {
    const stop = new AbortController();
    this.behaviour = ({ end }) => end > bytes;
    const broken = this.transfer(task, stop.signal);
    broken.catch(() => {});
    await journalled(task, bytes);
    stop.abort(new Error('broken off'));
    await expect(broken).rejects.toThrow('broken off');
    this.reset();
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const told = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (told === null) return void response.writeHead(400).end();
    const range = { start: Number(told[1]), end: Number(told[2]) + 1 };
    this.cookies.add(request.headers.cookie);
    this.asked.push(range);
    if (!this.behaviour(range, response, request, this.asked.length)) this.answer(range, response);
  }
}

/** Waits until the journal tells of so much. */
export async function journalled(task: TransferTask, bytes: number): Promise<void> {
  const lines = async (): Promise<number> =>
    (await readFile(task.journal?.path ?? '', 'utf8').catch(() => '')).split('\n').length - 1;
  // One line is its head.
  while ((await lines()) < 1 + bytes / (SEGMENT_BYTES / 4)) await sleep(10);
}

async function makeRaw(folder: string): Promise<string> {
  const raw = path.join(folder, 'disk.raw');
  const file = await open(raw, 'w');
  await file.truncate(CAPACITY);
  // Segments full of data, one with a little, one that is empty but for its edge, and the disk's very end.
  const piece = Buffer.alloc(MIB);
  for (let at = 0; at < 10; at++) {
    for (let i = 0; i + 4 <= MIB; i += 4) piece.writeUInt32LE(Math.imul(at * MIB + i + 1, 2_654_435_761) >>> 0, i);
    await file.write(piece, 0, MIB, at * MIB + (at === 9 ? 40_000 : 0));
  }
  await file.write(Buffer.alloc(3000, 'edge '), 0, 3000, 20 * MIB - 1500);
  await file.write(Buffer.alloc(100, 'end'), 0, 100, CAPACITY - 100);
  await file.close();
  return raw;
}

const segmentsOf = (content: Buffer): (string | null)[] =>
  Array.from({ length: Math.ceil(content.length / SEGMENT_BYTES) }, (_, index) => {
    const bytes = content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES);
    return bytes.some((byte) => byte !== 0) ? createHash('sha256').update(bytes).digest('hex') : null;
  });
