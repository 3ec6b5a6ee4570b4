/** One disk by HTTP ranges: complete, broken off and gone on with, and refused for what a server may do wrong. */
import { createHash } from 'node:crypto';
import { appendFile, copyFile, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobError } from '@hyper2kvm/contracts';
import { transferAndVerify, type RangesInput, type TransferResult, type TransferTask } from '@hyper2kvm/exporter';
import { runGuarded, spawnGuarded } from '@hyper2kvm/runtime';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeFolder, sameContent, tempFolder } from './export-setup.js';

const MIB = 2 ** 20;
/** Small segments, so that a small disk has several; a quarter of one is what a transfer goes on by. */
const SEGMENT_BYTES = 4 * MIB;
const RANGE_BYTES = 2 * MIB;
/** An end that is no multiple of 64 KiB. */
const CAPACITY = 25 * MIB + 512 * 9;
const LAST_MODIFIED = 'Mon, 02 Nov 2026 10:00:00 GMT';
const ETAG = '"5f1"';

interface Asked {
  readonly start: number;
  readonly end: number;
}
/** Answers a range that was asked for; returns false to let the server answer as it should. */
type Behaviour = (asked: Asked, response: ServerResponse, request: IncomingMessage, serial: number) => boolean;

let folder: string;
let raw: string;
let disk: Buffer;
let server: Server;
let port: number;
let fingerprint: string;
let behaviour: Behaviour;
let asked: Asked[];
let cookies: Set<string | undefined>;
let sent: number;
let connections: number;
let serial = 0;

beforeAll(async () => {
  folder = await tempFolder();
  raw = path.join(folder, 'disk.raw');
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
  disk = await readFile(raw);
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=vcenter.invalid', '-days', '2'];
  await execa('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject]);
  fingerprint =
    (await execa('openssl', ['x509', '-in', cert, '-noout', '-fingerprint', '-sha256'])).stdout.split('=')[1] ?? '';
  server = createServer({ key: await readFile(key), cert: await readFile(cert) }, serve);
  server.on('secureConnection', () => connections++);
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

beforeEach(() => {
  behaviour = () => false;
  asked = [];
  cookies = new Set();
  sent = 0;
  connections = 0;
});

function serve(request: IncomingMessage, response: ServerResponse): void {
  const told = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (told === null) return void response.writeHead(400).end();
  const range = { start: Number(told[1]), end: Number(told[2]) + 1 };
  cookies.add(request.headers.cookie);
  asked.push(range);
  if (!behaviour(range, response, request, asked.length)) answer(range, response);
}

const headersFor = ({ start, end }: Asked): Record<string, string | number> => ({
  'Content-Range': `bytes ${start}-${end - 1}/${CAPACITY}`,
  'Content-Length': end - start,
  'Last-Modified': LAST_MODIFIED,
  ETag: ETAG,
});

function answer(range: Asked, response: ServerResponse, headers: Record<string, string | number> = {}): void {
  sent += range.end - range.start;
  response.writeHead(206, { ...headersFor(range), ...headers }).end(disk.subarray(range.start, range.end));
}

const taskFor = (change: Partial<TransferTask> = {}, input: Partial<RangesInput> = {}): TransferTask => {
  const file = path.join(folder, `out${serial++}.qcow2`);
  return {
    input: {
      kind: 'ranges',
      url: `https://127.0.0.1:${port}/folder/web/web-flat.vmdk?dcPath=DC0&dsName=ds`,
      trust: { fingerprints: [fingerprint], insecure: false },
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
};

const start = async (task: TransferTask, signal = new AbortController().signal): Promise<TransferResult> =>
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
  const info = await execa('qemu-img', ['info', '-f', 'qcow2', task.path], { reject: false });
  expect(info.exitCode).not.toBe(0);
  return error;
}

const segmentsOf = (content: Buffer): (string | null)[] =>
  Array.from({ length: Math.ceil(content.length / SEGMENT_BYTES) }, (_, index) => {
    const bytes = content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES);
    return bytes.some((byte) => byte !== 0) ? createHash('sha256').update(bytes).digest('hex') : null;
  });

/** Breaks a transfer off when all ranges that end at `bytes` or before are on the disk, and none behind them. */
async function brokenOff(task: TransferTask, bytes: number): Promise<void> {
  const stop = new AbortController();
  behaviour = ({ end }) => end > bytes;
  const broken = start(task, stop.signal);
  broken.catch(() => {});
  // One line of the journal is its head.
  while ((await linesOf(task)) < 1 + bytes / (SEGMENT_BYTES / 4)) await sleep(10);
  stop.abort(new Error('broken off'));
  await expect(broken).rejects.toThrow('broken off');
  behaviour = () => false;
  asked = [];
  sent = 0;
}

const linesOf = async (task: TransferTask): Promise<number> =>
  (await readFile(task.journal?.path ?? '', 'utf8').catch(() => '')).split('\n').length - 1;

async function complete(task: TransferTask): Promise<TransferResult> {
  const result = await start(task);
  expect(result.segments).toEqual(segmentsOf(disk));
  expect(await sameContent(task.path, raw)).toBe(true);
  return result;
}

describe('a disk by ranges', () => {
  test('is identical, fetched once, over as many connections as were asked for', async () => {
    const task = taskFor({}, { cookie: 'vmware_soap_session="abc"', connections: 5 });
    const result = await complete(task);
    expect(result).toMatchObject({ bytesDownloaded: CAPACITY, bytesResumed: 0, digests: {} });
    expect(sent).toBe(CAPACITY);
    expect(connections).toBe(5);
    expect([...cookies]).toEqual(['vmware_soap_session="abc"']);
    // Zeros take no space: 10 MiB of data, and a few clusters beside it.
    const { blocks } = await stat(task.path);
    expect(blocks * 512).toBeLessThan(11 * MIB);
  });

  test('needs no journal', async () => {
    const { journal: _, ...task } = taskFor();
    await complete(task);
  });

  test('comes also where the server tells neither Last-Modified nor ETag', async () => {
    behaviour = (range, response) => {
      sent += range.end - range.start;
      const { 'Content-Range': contentRange, 'Content-Length': length } = headersFor(range);
      response.writeHead(206, { 'Content-Range': contentRange, 'Content-Length': length });
      response.end(disk.subarray(range.start, range.end));
      return true;
    };
    await complete(taskFor());
  });

  test('comes in spite of connections that are cut, and of errors that pass', async () => {
    behaviour = (range, response, request, number) => {
      if (number % 6 === 2) {
        response.writeHead(206, headersFor(range));
        response.write(disk.subarray(range.start, range.start + 100_000), () => request.socket.destroy());
        return true;
      }
      if (number % 6 === 3) return (response.writeHead(503).end('out of HTTP sessions'), true);
      if (number % 6 === 5) return (request.socket.destroy(), true);
      return false;
    };
    const result = await complete(taskFor());
    expect(asked.length).toBeGreaterThan(Math.ceil(CAPACITY / RANGE_BYTES));
    expect(result.bytesDownloaded).toBeGreaterThan(CAPACITY);
  });

  test('goes on over a new connection when one stalls', async () => {
    behaviour = (range, response, _, number) => {
      if (number !== 3) return false;
      response.writeHead(206, headersFor(range)).write(disk.subarray(range.start, range.start + 70_000));
      return true;
    };
    await complete(taskFor({ stallTimeoutMs: 500 }));
  });
});

describe('a transfer that was broken off', () => {
  test('fetches only what was not on the disk', async () => {
    const task = taskFor();
    await brokenOff(task, 16 * MIB);
    const result = await complete(task);
    expect(result.bytesResumed).toBe(16 * MIB);
    expect(asked.every(({ start: from }) => from >= 16 * MIB)).toBe(true);
    expect(sent).toBe(CAPACITY - 16 * MIB);
    expect(result.bytesDownloaded).toBe(sent);
  });

  test('within a segment goes on within it', async () => {
    const task = taskFor();
    await brokenOff(task, 6 * MIB);
    const result = await complete(task);
    expect(result.bytesResumed).toBe(6 * MIB);
    expect(sent).toBe(CAPACITY - 6 * MIB);
  });

  test('again and again ends with the same file as one that never was', async () => {
    const [once, often] = [taskFor(), taskFor()];
    for (const at of [2, 6, 8, 10, 22]) await brokenOff(often, at * MIB);
    await complete(often);
    await complete(once);
    expect(await readFile(often.path)).toEqual(await readFile(once.path));
  });

  test('after its end fetches nothing', async () => {
    const task = taskFor();
    await complete(task);
    asked = [];
    expect((await complete(task)).bytesDownloaded).toBe(0);
    expect(asked).toEqual([]);
  });

  const anew: [string, (task: TransferTask, journal: string) => Promise<void | Partial<TransferTask>>][] = [
    ['under another binding', async (_, journal) => ({ journal: { path: journal, binding: 'snapshot-2' } })],
    ['of a file with another ETag', async ({ input }) => ({ input: { ...(input as RangesInput), etag: '"5f2"' } })],
    [
      'of a file changed at another time',
      async ({ input }) => ({ input: { ...(input as RangesInput), lastModified: 'Tue, 03 Nov 2026 10:00:00 GMT' } }),
    ],
    ['without its journal', async (_, journal) => rm(journal)],
    ['without its image', async (task) => rm(task.path)],
    ['with an image cut to nothing', async (task) => truncate(task.path, 1000)],
    ['with a journal of another kind', async (_, journal) => writeFile(journal, '{"version":7}\n')],
    [
      'with an altered first line',
      async (_, journal) => {
        const [, first = '', ...rest] = (await readFile(journal, 'utf8')).split('\n').toSpliced(0, 0, '');
        await writeFile(journal, [first.replace('snapshot-1', 'snapshot-0'), ...rest].join('\n'));
      },
    ],
  ];
  test.each(anew)('%s begins at zero', async (_, change) => {
    const task = taskFor();
    await brokenOff(task, 12 * MIB);
    const changed = { ...task, ...(await change(task, task.journal?.path ?? '')) };
    // The server tells what the changed task expects of it.
    const { etag = ETAG, lastModified = LAST_MODIFIED } = changed.input as RangesInput;
    behaviour = (range, response) => (answer(range, response, { ETag: etag, 'Last-Modified': lastModified }), true);
    const result = await complete(changed);
    expect(result.bytesResumed).toBe(0);
    expect(sent).toBe(CAPACITY);
  });

  const earlier: [string, (task: TransferTask, journal: string, before: number) => Promise<void>][] = [
    ['a torn last line', async (_, journal) => truncate(journal, (await stat(journal)).size - 7)],
    ['an image that became shorter', async (task) => truncate(task.path, 3 * MIB)],
    [
      'an altered line',
      async (_, journal) => {
        const lines = (await readFile(journal, 'utf8')).split('\n');
        lines[3] = (lines[3] ?? '').replace(/"crc":\d/, '"crc":9');
        await writeFile(journal, lines.join('\n'));
      },
    ],
    [
      'a line that is missing',
      async (_, journal) =>
        writeFile(journal, (await readFile(journal, 'utf8')).split('\n').toSpliced(3, 1).join('\n')),
    ],
  ];
  test.each(earlier)('with %s goes on from further back', async (_, change) => {
    const task = taskFor();
    await brokenOff(task, 18 * MIB);
    const untouched = path.join(folder, 'untouched');
    await copyFile(task.path, `${untouched}.qcow2`);
    await copyFile(task.journal?.path ?? '', `${untouched}.journal`);
    await change(task, task.journal?.path ?? '', 0);
    const result = await complete(task);
    const whole = await complete({
      ...task,
      path: `${untouched}.qcow2`,
      journal: { path: `${untouched}.journal`, binding: 'snapshot-1' },
    });
    expect(result.bytesResumed).toBeGreaterThan(0);
    expect(result.bytesResumed).toBeLessThan(whole.bytesResumed);
    await Promise.all([`${untouched}.qcow2`, `${untouched}.journal`].map(async (file) => rm(file)));
  });

  test('with lines of nonsense behind the last one goes on', async () => {
    const task = taskFor();
    await brokenOff(task, 12 * MIB);
    await appendFile(task.journal?.path ?? '', '\0\0\0\0{"unit":');
    expect((await complete(task)).bytesResumed).toBe(12 * MIB);
  });

  test('whose finished part was damaged is found out by reading back, and begins at zero then', async () => {
    const task = taskFor();
    await brokenOff(task, 18 * MIB);
    const file = await open(task.path, 'r+');
    await file.write('#', MIB);
    await file.close();
    expect(await start(task).catch((error: unknown) => error)).toMatchObject({
      code: 'EXPORT_MISMATCH',
      message: expect.stringContaining('segment 1 of 7') as string,
    });
    expect((await complete(task)).bytesResumed).toBe(0);
  });

  test('whose begun segment was damaged fetches that segment again', async () => {
    const task = taskFor();
    await brokenOff(task, 2 * MIB);
    const file = await open(task.path, 'r+');
    await file.write('#', MIB);
    await file.close();
    expect((await complete(task)).bytesResumed).toBe(0);
  });

  test('is read back also where that was not asked for', async () => {
    const task = taskFor();
    await brokenOff(task, 18 * MIB);
    const file = await open(task.path, 'r+');
    await file.write('#', MIB);
    await file.close();
    const error: unknown = await transferAndVerify({
      task,
      readBack: false,
      socketPath: path.join(folder, `${serial}.nbd`),
      children: { spawn: spawnGuarded, run: runGuarded },
      signal: new AbortController().signal,
      progress: () => {},
    }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'EXPORT_MISMATCH' });
  });
});

describe('refused', () => {
  const late = (range: Asked): boolean => range.start >= 8 * MIB;
  const status =
    (code: number): Behaviour =>
    (range, response) =>
      late(range) && (response.writeHead(code).end(), true);
  const headers =
    (change: (range: Asked) => Record<string, string | number>): Behaviour =>
    (range, response) =>
      late(range) && (answer(range, response, change(range)), true);
  const cases: [string, string, RegExp, Behaviour, Partial<TransferTask>?, Partial<RangesInput>?][] = [
    [
      'the whole file instead of a range',
      'EXPORT_TRANSFER',
      /whole file instead of the range at byte \d+: .*does not serve ranges/,
      (_, response) => (response.writeHead(200, { 'Content-Length': CAPACITY }).end(disk), true),
    ],
    ['401', 'EXPORT_TRANSFER', /HTTP 401 to the range at byte \d+: the session has ended/, status(401)],
    ['403', 'VCENTER_PERMISSION', /HTTP 403 .*may not read the datastore/, status(403)],
    ['404', 'SOURCE_CHANGED', /HTTP 404 .*is gone/, status(404)],
    ['416', 'SOURCE_CHANGED', /HTTP 416 .*shorter/, status(416)],
    ['500, again and again', 'EXPORT_TRANSFER', /HTTP 500 to the range at byte \d+/, status(500)],
    [
      'another range than the one asked for',
      'EXPORT_TRANSFER',
      /sent bytes 0-\d+\/\d+ instead of the bytes \d+-\d+/,
      headers(({ start: from, end }) => ({ 'Content-Range': `bytes 0-${end - from - 1}/${CAPACITY}` })),
    ],
    [
      'a range shifted by one',
      'EXPORT_TRANSFER',
      /instead of the bytes/,
      headers(({ start: from, end }) => ({ 'Content-Range': `bytes ${from + 1}-${end}/${CAPACITY}` })),
    ],
    [
      'a file of another size',
      'SOURCE_CHANGED',
      /has \d+ bytes instead of/,
      headers(({ start: from, end }) => ({ 'Content-Range': `bytes ${from}-${end - 1}/${CAPACITY + 512}` })),
    ],
    [
      'no Content-Range',
      'EXPORT_TRANSFER',
      /without a Content-Range/,
      (range, response) => late(range) && (response.writeHead(206, { 'Content-Length': 3 }).end('abc'), true),
    ],
    [
      'another Last-Modified',
      'SOURCE_CHANGED',
      /Last-Modified is Tue.* instead of Mon/,
      headers(() => ({ 'Last-Modified': 'Tue, 03 Nov 2026 10:00:00 GMT' })),
    ],
    ['another ETag', 'SOURCE_CHANGED', /ETag is "other" instead of/, headers(() => ({ ETag: '"other"' }))],
    [
      'an answer that is too short by the book',
      'EXPORT_TRANSFER',
      /announced \d+ bytes for the \d+ from byte \d+/,
      (range, response) => {
        if (!late(range)) return false;
        const bytes = disk.subarray(range.start, range.end - 100);
        response.writeHead(206, { ...headersFor(range), 'Content-Length': bytes.length }).end(bytes);
        return true;
      },
    ],
    [
      'connections cut for good',
      'EXPORT_TRANSFER',
      /connection broke/,
      (range, response, request) => {
        if (!late(range)) return false;
        response.writeHead(206, headersFor(range));
        response.write(disk.subarray(range.start, range.start + 5000), () => request.socket.destroy());
        return true;
      },
    ],
    ['a stall for good', 'EXPORT_TRANSFER', /no data for 0.4 s at byte \d+ of the disk/, late, { stallTimeoutMs: 400 }],
    [
      'a certificate that is not the pinned one',
      'VCENTER_TLS',
      /certificate/,
      () => false,
      {},
      { trust: { fingerprints: ['11'.repeat(32)], insecure: false } },
    ],
    [
      'a file that is not the disk',
      'EXPORT_CORRUPT',
      /has \d+ bytes, the VM's disk has/,
      () => false,
      {
        capacityBytes: CAPACITY + 512,
      },
    ],
  ];

  test.each(cases)('%s', async (_, code, words, served, change, input) => {
    behaviour = served;
    const error = await refused(taskFor(change, input));
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) as string });
  });

  test('a source that changed: nothing of before is gone on from', async () => {
    const task = taskFor();
    behaviour = headers(() => ({ ETag: '"other"' }));
    expect((await refused(task)).code).toBe('SOURCE_CHANGED');
    behaviour = () => false;
    expect((await complete(task)).bytesResumed).toBe(0);
  });
});
