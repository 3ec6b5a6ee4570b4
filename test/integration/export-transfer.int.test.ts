/** One disk from an HTTPS server that misbehaves: each way ends with its own code, and never with an image. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, writeSync } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import path from 'node:path';
import { JobError, SEGMENT_BYTES } from '@hyper2kvm/contracts';
import { transferAndVerify, type NfcInput, type TransferTask } from '@hyper2kvm/exporter';
import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDisk, removeFolder, sameContent, tempFolder, type TestDisk } from './export-setup.js';

const CAPACITY = 100 * 2 ** 20;
let folder: string;
let disk: TestDisk;
let body: Buffer;
let server: Server;
let port: number;
let fingerprint: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let serial = 0;

beforeAll(async () => {
  folder = await tempFolder();
  disk = await makeDisk(folder, 'disk', CAPACITY);
  body = await readFile(disk.vmdk);
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=esx.invalid', '-days', '2'];
  await execa('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  const certificate = await readFile(cert);
  fingerprint =
    (await execa('openssl', ['x509', '-in', cert, '-noout', '-fingerprint', '-sha1'])).stdout.split('=')[1] ?? '';
  server = createServer({ key: await readFile(key), cert: certificate }, (request, response) =>
    answer(request, response),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  ({ port } = server.address() as { port: number });
});

afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await removeFolder(folder);
});

const taskFor = (change: Partial<TransferTask> = {}, input: Partial<NfcInput> = {}): TransferTask => ({
  input: {
    kind: 'nfc',
    url: `https://127.0.0.1:${port}/nfc/1/disk-0.vmdk`,
    trust: { fingerprints: [fingerprint], insecure: false },
    ...input,
  },
  path: path.join(folder, `out${serial++}.qcow2`),
  capacityBytes: CAPACITY,
  segmentBytes: SEGMENT_BYTES,
  stallTimeoutMs: 30_000,
  bytesPerSecond: null,
  digests: [],
  ...change,
});

const start = async (task: TransferTask, signal = new AbortController().signal) =>
  transferAndVerify({
    task,
    readBack: true,
    socketPath: path.join(folder, `${serial}.nbd`),
    children: { spawn: spawnGuarded, run: runGuarded },
    signal,
    progress: () => {},
  });

async function refused(task: TransferTask): Promise<JobError> {
  const error: unknown = await start(task).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof JobError)) throw new Error(`expected a JobError, got ${String(error)}`);
  // Whatever was written is no image.
  const there = await access(task.path).then(
    () => true,
    () => false,
  );
  if (there) {
    const info = await execa('qemu-img', ['info', '-f', 'qcow2', task.path], { reject: false });
    expect(info.exitCode).not.toBe(0);
  }
  return error;
}

describe('a disk', () => {
  test('that comes whole is written, hashed and read back', async () => {
    const cookies: (string | undefined)[] = [];
    answer = (request, response) => {
      cookies.push(request.headers.cookie);
      response.end(body);
    };
    const task = taskFor({ digests: ['md5', 'sha1'] }, { cookie: 'vmware_soap_session="abc"' });
    const result = await start(task);
    expect(cookies).toEqual(['vmware_soap_session="abc"']);
    expect(result.bytesDownloaded).toBe(body.length);
    expect(result.bytesResumed).toBe(0);
    const digest = (name: string): string => createHash(name).update(body).digest('hex');
    expect(result.digests).toEqual({ md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256') });
    const raw = await readFile(disk.raw);
    const segment = (from: number): string =>
      createHash('sha256')
        .update(raw.subarray(from, from + SEGMENT_BYTES))
        .digest('hex');
    expect(result.segments).toEqual([segment(0), segment(SEGMENT_BYTES)]);
    expect(await sameContent(task.path, disk.raw)).toBe(true);
  });

  test('is checked by qemu-img also where reading back is not asked for', async () => {
    answer = (_, response) => void response.end(body);
    const commands: string[] = [];
    const task = taskFor();
    await transferAndVerify({
      task,
      readBack: false,
      // Too long for a socket: none is made.
      socketPath: path.join(folder, 'x'.repeat(200)),
      children: {
        spawn: spawnGuarded,
        run: async (command, args, options) => {
          commands.push([command, ...args].join(' '));
          return runGuarded(command, args, options);
        },
      },
      signal: new AbortController().signal,
      progress: () => {},
    });
    expect(commands).toEqual([`qemu-img check -q -f qcow2 ${task.path}`]);
    expect(await sameContent(task.path, disk.raw)).toBe(true);
  });

  test('whose image was changed on the way is not taken for good', async () => {
    answer = (_, response) => void response.end(body);
    const task = taskFor();
    const at = 65_536 + 1000;
    let changed = false;
    // A failing disk: what was written there does not stay.
    const spoil = setInterval(() => {
      if (!existsSync(task.path)) return;
      const file = openSync(task.path, 'r+');
      if (fstatSync(file).size > at) changed = writeSync(file, '#', at) === 1;
      closeSync(file);
    }, 1);
    try {
      await expect(start(task)).rejects.toMatchObject({
        code: 'EXPORT_MISMATCH',
        message: expect.stringContaining('segment 1 of 2') as string,
      });
    } finally {
      clearInterval(spoil);
    }
    expect(changed).toBe(true);
  });
});

describe('refused', () => {
  const cases: [
    string,
    string,
    (request: IncomingMessage, response: ServerResponse) => void,
    Partial<TransferTask>?,
    Partial<NfcInput>?,
  ][] = [
    ['an empty 200', 'EXPORT_TRANSFER', (_, response) => void response.end()],
    ['401', 'EXPORT_TRANSFER', (_, response) => void response.writeHead(401).end()],
    ['503', 'EXPORT_TRANSFER', (_, response) => void response.writeHead(503).end()],
    ['403: the lease does not allow it any more', 'EXPORT_LEASE', (_, response) => void response.writeHead(403).end()],
    ['404: the lease is gone', 'EXPORT_LEASE', (_, response) => void response.writeHead(404).end()],
    ['a page instead of a disk', 'EXPORT_CORRUPT', (_, response) => void response.end('<html>'.repeat(1000))],
    ['another capacity', 'EXPORT_CORRUPT', (_, response) => void response.end(body), { capacityBytes: CAPACITY + 512 }],
    [
      'a chunked body cut short',
      'EXPORT_TRANSFER',
      (_, response) => void response.write(body.subarray(0, body.length / 2), () => response.destroy()),
    ],
    [
      'a chunked body that ends too early by the book',
      'EXPORT_CORRUPT',
      (_, response) => void response.end(body.subarray(0, body.length / 2)),
    ],
    [
      // Found only when the answer is complete already.
      'a last record that is none',
      'EXPORT_CORRUPT',
      (_, response) =>
        // Instead of the end-of-stream marker, which is the last sector but one.
        void response.end(Buffer.concat([body.subarray(0, -1024), Buffer.alloc(12), Buffer.alloc(500, 99)])),
    ],
    [
      'fewer bytes than announced',
      'EXPORT_TRANSFER',
      (_, response) => {
        response.writeHead(200, { 'Content-Length': body.length });
        response.write(body.subarray(0, body.length - 20_000), () => response.destroy());
      },
    ],
    [
      'a stall',
      'EXPORT_TRANSFER',
      (_, response) => void response.write(body.subarray(0, body.length - 20_000)),
      { stallTimeoutMs: 500 },
    ],
    ['no answer at all', 'EXPORT_TRANSFER', () => {}, { stallTimeoutMs: 500 }],
    [
      'a certificate that vCenter did not name',
      'VCENTER_TLS',
      (_, response) => void response.end(body),
      {},
      { trust: { fingerprints: ['11'.repeat(20)], insecure: false } },
    ],
    ['nobody there', 'EXPORT_TRANSFER', () => {}, {}, { url: 'https://127.0.0.1:1/nfc' }],
  ];

  test.each(cases)('%s', async (_, code, behaviour, change, input) => {
    answer = behaviour;
    expect((await refused(taskFor(change, input))).code).toBe(code);
  });
});

test.each([
  ['hangs up', (socket: Socket) => void socket.destroy()],
  ['speaks no TLS', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('a server that %s is a transfer that broke', async (_, behaviour) => {
  const other = createTcpServer((socket) => {
    socket.on('error', () => {});
    behaviour(socket);
  });
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  try {
    const { port: otherPort } = other.address() as { port: number };
    expect((await refused(taskFor({}, { url: `https://127.0.0.1:${otherPort}/nfc` }))).code).toBe('EXPORT_TRANSFER');
  } finally {
    other.close();
  }
});

test('a transfer that is stopped closes its connection', async () => {
  const stop = new AbortController();
  const socketClosed = new Promise<void>((resolve) => {
    answer = (request, response) => {
      request.socket.once('close', () => resolve());
      response.write(body.subarray(0, body.length - 20_000), () => stop.abort(new Error('enough')));
    };
  });
  await expect(start(taskFor(), stop.signal)).rejects.toThrow('enough');
  await socketClosed;
});
