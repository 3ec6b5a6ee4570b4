import { createCipheriv, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Sealed } from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';
import { FORGOTTEN, Sealer } from '../src/index.js';

describe('a sealed secret', () => {
  const sealer = new Sealer(randomBytes(32));

  it('opens to what was sealed, and looks as the contract says', () => {
    const sealed = sealer.seal('pässword');
    expect(Sealed.parse(sealed)).toBe(sealed);
    expect(sealed).not.toContain('pässword');
    expect(sealer.open(sealed)).toBe('pässword');
    expect(sealer.seal('pässword')).not.toBe(sealed);
  });

  it('does not open when it was changed, or with another key', () => {
    const sealed = sealer.seal('secret');
    const last = sealed.at(-3) === 'A' ? 'B' : 'A';
    expect(() => sealer.open(`${sealed.slice(0, -3)}${last}${sealed.slice(-2)}`)).toThrow(/./);
    expect(() => new Sealer(randomBytes(32)).open(sealed)).toThrow(/another key/);
    expect(() => sealer.open('secret')).toThrow(/not a sealed secret/);
  });

  it('does not open with a shorter tag, of which a forger needs fewer guesses', () => {
    const key = randomBytes(32);
    const sealer = new Sealer(key);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 4 });
    const body = Buffer.concat([cipher.update('password'), cipher.final(), cipher.getAuthTag()]);
    const short = ['v1', sealer.keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
    expect(() => sealer.open(short)).toThrow(/./);
  });

  it('opens with any of its keys, and is sealed with the current one', () => {
    const [old, current] = [randomBytes(32), randomBytes(32)];
    const before = new Sealer(old).seal('secret');
    const sealer = new Sealer(current, [randomBytes(32), old]);
    expect(sealer.open(before)).toBe('secret');
    expect(sealer.isCurrent(before)).toBe(false);
    const after = sealer.seal(sealer.open(before));
    expect(sealer.isCurrent(after)).toBe(true);
    expect(after.split('.')[1]).toBe(sealer.keyId);
    expect(new Sealer(current).open(after)).toBe('secret');
    expect(() => new Sealer(old).open(after)).toThrow(/another key/);
  });

  it('may have been forgotten: no key opens it, and no rotation wants it', () => {
    expect(Sealed.parse(FORGOTTEN)).toBe(FORGOTTEN);
    expect(() => sealer.open(FORGOTTEN)).toThrow(/forgotten/);
    expect(sealer.isCurrent(FORGOTTEN)).toBe(true);
  });

  it('needs a key file that others cannot read', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'h2k-key-'));
    try {
      const file = path.join(folder, 'key');
      writeFileSync(file, randomBytes(32).toString('base64'));
      chmodSync(file, 0o644);
      expect(() => Sealer.fromConfig({ key_file: file })).toThrow(/chmod 600/);
      chmodSync(file, 0o600);
      const fromFile = Sealer.fromConfig({ key_file: file });
      expect(fromFile.open(fromFile.seal('x'))).toBe('x');
      const next = Sealer.fromConfig({ key: randomBytes(32).toString('base64'), previous_key_files: [file] });
      expect(next.open(fromFile.seal('x'))).toBe('x');
      expect(() => Sealer.fromConfig({ key_file: path.join(folder, 'none') })).toThrow(/cannot be read \(ENOENT\)/);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(() => Sealer.fromConfig({})).toThrow(/openssl rand -base64 32/);
    expect(() => Sealer.fromConfig({ key: 'c2hvcnQ=' })).toThrow(/32 bytes/);
  });
});
