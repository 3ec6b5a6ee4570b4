/** One disk by HTTP ranges, broken off: what is on the disk is not fetched again, and is never taken for something else. */
import { appendFile, copyFile, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RangesInput, TransferTask } from '@hyper2kvm/exporter';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CAPACITY, MIB, RangeServer, journalled } from './export-range-server.js';

let server: RangeServer;

beforeAll(async () => {
  server = await RangeServer.start();
});

afterAll(async () => server?.stop());
beforeEach(() => server.reset());

describe('a transfer that was broken off', () => {
  test('fetches only what was not on the disk', async () => {
    const task = server.task();
    await server.brokenOff(task, 16 * MIB);
    const result = await server.complete(task);
    expect(result.bytesResumed).toBe(16 * MIB);
    expect(server.asked.every(({ start: from }) => from >= 16 * MIB)).toBe(true);
    expect(server.sent).toBe(CAPACITY - 16 * MIB);
    expect(result.bytesDownloaded).toBe(server.sent);
  });

  test('within a segment goes on within it', async () => {
    const task = server.task();
    await server.brokenOff(task, 6 * MIB);
    const result = await server.complete(task);
    expect(result.bytesResumed).toBe(6 * MIB);
    expect(server.sent).toBe(CAPACITY - 6 * MIB);
  });

  test('again and again ends with the same file as one that never was', async () => {
    const [once, often] = [server.task(), server.task()];
    for (const at of [2, 6, 8, 10, 22]) await server.brokenOff(often, at * MIB);
    await server.complete(often);
    await server.complete(once);
    expect((await readFile(often.path)).equals(await readFile(once.path))).toBe(true);
  });

  test('after its end fetches nothing', async () => {
    const task = server.task();
    await server.complete(task);
    server.asked = [];
    expect((await server.complete(task)).bytesDownloaded).toBe(0);
    expect(server.asked).toEqual([]);
  });

  test('again after its end is no image until its next end', async () => {
    const task = server.task();
    await server.complete(task);
    const journal = task.journal?.path ?? '';
    await truncate(journal, (await stat(journal)).size / 2);
    const stop = new AbortController();
    server.behaviour = () => true;
    const again = server.transfer(task, stop.signal);
    again.catch(() => {});
    server.asked = [];
    await expect.poll(() => server.asked.length).toBeGreaterThan(0);
    const info = await execa('qemu-img', ['info', '-U', '-f', 'qcow2', task.path], { reject: false });
    expect(info.stderr).toContain('not in qcow2 format');
    stop.abort(new Error('broken off'));
    await expect(again).rejects.toThrow('broken off');
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
    const task = server.task();
    await server.brokenOff(task, 12 * MIB);
    const changed = { ...task, ...(await change(task, task.journal?.path ?? '')) };
    // The server tells what the changed task expects of it.
    const { etag = '', lastModified = '' } = changed.input as RangesInput;
    server.behaviour = (range, response) => (
      server.answer(range, response, { ETag: etag, 'Last-Modified': lastModified }),
      true
    );
    const result = await server.complete(changed);
    expect(result.bytesResumed).toBe(0);
    expect(server.sent).toBe(CAPACITY);
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
    const task = server.task();
    await server.brokenOff(task, 18 * MIB);
    const untouched = path.join(server.folder, 'untouched');
    await copyFile(task.path, `${untouched}.qcow2`);
    await copyFile(task.journal?.path ?? '', `${untouched}.journal`);
    await change(task, task.journal?.path ?? '', 0);
    const result = await server.complete(task);
    const whole = await server.complete({
      ...task,
      path: `${untouched}.qcow2`,
      journal: { path: `${untouched}.journal`, binding: 'snapshot-1' },
    });
    expect(result.bytesResumed).toBeGreaterThan(0);
    expect(result.bytesResumed).toBeLessThan(whole.bytesResumed);
    await Promise.all([`${untouched}.qcow2`, `${untouched}.journal`].map(async (file) => rm(file)));
  });

  test('with lines of nonsense behind the last one goes on', async () => {
    const task = server.task();
    await server.brokenOff(task, 12 * MIB);
    await appendFile(task.journal?.path ?? '', '\0\0\0\0{"unit":');
    expect((await server.complete(task)).bytesResumed).toBe(12 * MIB);
  });

  test('whose finished part was damaged is found out by reading back, and begins at zero then', async () => {
    const task = server.task();
    await server.brokenOff(task, 18 * MIB);
    const file = await open(task.path, 'r+');
    await file.write('#', MIB);
    await file.close();
    expect(await server.transfer(task).catch((error: unknown) => error)).toMatchObject({
      code: 'EXPORT_MISMATCH',
      message: expect.stringContaining('segment 1 of 7') as string,
    });
    expect((await server.complete(task)).bytesResumed).toBe(0);
  });

  test('whose begun segment was damaged fetches that segment again', async () => {
    const task = server.task();
    await server.brokenOff(task, 2 * MIB);
    const file = await open(task.path, 'r+');
    await file.write('#', MIB);
    await file.close();
    expect((await server.complete(task)).bytesResumed).toBe(0);
  });

  test('is read back also where that was not asked for', async () => {
    const task = server.task();
    await server.brokenOff(task, 18 * MIB);
    const file = await open(task.path, 'r+');
    await file.write('#', MIB);
    await file.close();
    const error: unknown = await server.transfer(task, undefined, false).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'EXPORT_MISMATCH' });
  });

  test('by kill -9, again and again, goes on each time', async () => {
    const task = server.task();
    const script = `
      import { transferAndVerify } from '@hyper2kvm/exporter';
      const task = JSON.parse(process.argv[1]);
      const children = { spawn() {}, run: async () => {} };
      const { signal } = new AbortController();
      await transferAndVerify({ task, readBack: false, socketPath: '', children, signal, progress() {} });
    `;
    for (const bytes of [4 * MIB, 10 * MIB, 22 * MIB]) {
      server.behaviour = ({ end }) => end > bytes;
      const child = execa(process.execPath, ['--input-type=module', '--eval', script, JSON.stringify(task)], {
        cwd: import.meta.dirname,
        reject: false,
      });
      await journalled(task, bytes);
      child.kill('SIGKILL');
      expect((await child).signal).toBe('SIGKILL');
      server.reset();
    }
    const result = await server.complete(task);
    expect(result.bytesResumed).toBe(22 * MIB);
    expect(server.sent).toBe(CAPACITY - 22 * MIB);
  });
});
