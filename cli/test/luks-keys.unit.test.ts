import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLuksKeys } from '../src/lib/luks-keys.js';

const UUID = '0f3d5c1e-7a64-4b8f-9d2a-3c5e6f708192';
const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
let folder: string;
let odd: string;
const file = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'h2k-luks-'));
  odd = file('a=b.key');
  await writeFile(file('key'), 'correct horse\n', { mode: 0o600 });
  await writeFile(file('two-lines'), 'correct\n\n', { mode: 0o600 });
  await writeFile(file('binary'), Buffer.from([0, 255, 10, 13]), { mode: 0o600 });
  await writeFile(odd, 'odd', { mode: 0o600 });
  await writeFile(file('empty'), '\n', { mode: 0o600 });
  await writeFile(file('large'), Buffer.alloc(13_000, 1), { mode: 0o600 });
  await writeFile(file('open'), 'open');
  await chmod(file('open'), 0o644);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('keys of LUKS volumes', () => {
  it('are the bytes of files, without the one newline at their end', () => {
    expect(readLuksKeys([file('key'), file('two-lines'), file('binary')], {})).toEqual({
      keys: [
        { key_base64: base64('correct horse') },
        { key_base64: base64('correct\n') },
        { key_base64: base64(Buffer.from([0, 255, 10, 13])) },
      ],
      warnings: [],
    });
  });

  it('may be of one volume, by its UUID or device; a "=" in a name is no such thing', () => {
    const given = [`${UUID.toUpperCase()}=${file('key')}`, `UUID=${UUID}=${odd}`, `/dev/sda2=${odd}`, odd];
    expect(readLuksKeys(given, {}).keys.map(({ device }) => device)).toEqual([UUID, UUID, '/dev/sda2', undefined]);
  });

  it('are read from what a shell substitutes, also for one volume', async () => {
    const handle = await open(file('key'));
    const given = [`/dev/sda2=/dev/fd/${handle.fd}`];
    expect(readLuksKeys(given, {}).keys).toEqual([{ device: '/dev/sda2', key_base64: base64('correct horse') }]);
    await handle.close();
  });

  it('come from the environment too, untouched', () => {
    expect(readLuksKeys([], { HYPER2KVM_LUKS_KEY: 'horse \n' }).keys).toEqual([{ key_base64: base64('horse \n') }]);
    expect(readLuksKeys([], { HYPER2KVM_LUKS_KEY: '' }).keys).toEqual([]);
  });

  it('are warned of where others can read them', () => {
    expect(readLuksKeys([file('open')], {}).warnings).toEqual([
      `${file('open')} can be read by others: chmod 600 ${file('open')}`,
    ]);
  });

  it('are refused where there is none', () => {
    expect(() => readLuksKeys([file('nowhere')], {})).toThrow(
      /--luks-key: .*nowhere cannot be read: there is no such file/,
    );
    expect(() => readLuksKeys([file('empty')], {})).toThrow(/is empty/);
    expect(() => readLuksKeys([file('large')], {})).toThrow(/larger than 12288 bytes/);
  });
});
