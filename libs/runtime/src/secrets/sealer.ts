import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from '../config/load.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals short secrets with AES-256-GCM as `v1.<key id>.<nonce>.<ciphertext and tag>`; only services with the key open them. */
export class Sealer {
  readonly #key: Buffer;
  readonly #keyId: string;

  constructor(key: Buffer) {
    if (key.length !== KEY_BYTES)
      throw new ConfigError(`secrets.key: expected the base64 of ${KEY_BYTES} bytes, got ${key.length}`);
    this.#key = key;
    this.#keyId = createHash('sha256').update(key).digest('base64url').slice(0, 8);
  }

  /** @throws ConfigError without a key, or when its file may be read by others */
  static fromConfig(secrets: { key?: string | undefined; key_file?: string | undefined }): Sealer {
    if (secrets.key !== undefined) return new Sealer(Buffer.from(secrets.key, 'base64'));
    if (secrets.key_file === undefined) {
      throw new ConfigError(
        'secrets.key_file: a key is needed. Make one: openssl rand -base64 32 > FILE && chmod 600 FILE',
      );
    }
    const { mode } = statSync(secrets.key_file);
    if ((mode & 0o077) !== 0)
      throw new ConfigError(`secrets.key_file: ${secrets.key_file} can be read by others: chmod 600 it`);
    return new Sealer(Buffer.from(readFileSync(secrets.key_file, 'utf8').trim(), 'base64'));
  }

  seal(plain: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return ['v1', this.#keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
  }

  /** @throws Error when it was sealed with another key or changed */
  open(sealed: string): string {
    const [version, keyId, nonce, body] = sealed.split('.');
    if (version !== 'v1' || nonce === undefined || body === undefined) throw new Error('not a sealed secret');
    if (keyId !== this.#keyId) throw new Error('sealed with another key: do all services share secrets.key_file?');
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, Buffer.from(nonce, 'base64url'));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES)), decipher.final()]).toString(
      'utf8',
    );
  }
}
