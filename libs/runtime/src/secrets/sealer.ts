import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { keyFromBase64, keyFromFile, MISSING_KEY } from './key-file.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Stands where a secret stood that nobody needs any more: a sealed secret by its looks, which no key opens. */
export const FORGOTTEN = 'v1.forgotten.none.none';
export const isForgotten = (sealed: string): boolean => sealed === FORGOTTEN;

/** The section `secrets` of the configuration. */
export interface SecretsSettings {
  readonly key?: string | undefined;
  readonly key_file?: string | undefined;
  readonly previous_keys?: readonly string[] | undefined;
  readonly previous_key_files?: readonly string[] | undefined;
}

/**
 * Seals short secrets with AES-256-GCM as `v1.<key id>.<nonce>.<ciphertext and tag>`; only services with the key open them. The
 * current key seals. Previous ones still open what they sealed, until it is sealed anew.
 */
export class Sealer {
  /** Of the current key: the start of its SHA-256, which tells nothing of it. */
  readonly keyId: string;
  readonly #current: Buffer;
  readonly #keys: ReadonlyMap<string, Buffer>;

  /** @throws ConfigError for a key of another length */
  constructor(key: Buffer, previous: readonly Buffer[] = []) {
    this.#current = key;
    this.keyId = idOf(key);
    this.#keys = new Map([key, ...previous].map((one) => [idOf(one), one]));
  }

  /** @throws ConfigError without a key, or when its file may be read by others */
  static fromConfig(secrets: SecretsSettings): Sealer {
    const previous = [
      ...(secrets.previous_keys ?? []).map((text, index) => keyFromBase64(text, `secrets.previous_keys.${index}`)),
      ...(secrets.previous_key_files ?? []).map((file, index) =>
        keyFromFile(file, `secrets.previous_key_files.${index}`),
      ),
    ];
    if (secrets.key !== undefined) return new Sealer(keyFromBase64(secrets.key, 'secrets.key'), previous);
    if (secrets.key_file === undefined) throw MISSING_KEY();
    return new Sealer(keyFromFile(secrets.key_file, 'secrets.key_file'), previous);
  }

  seal(plain: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#current, nonce);
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return ['v1', this.keyId, nonce.toString('base64url'), body.toString('base64url')].join('.');
  }

  /** With whichever key sealed it. @throws Error when that key is not here, or the text was changed */
  open(sealed: string): string {
    const [version, keyId = '', nonce, body] = sealed.split('.');
    if (version !== 'v1' || nonce === undefined || body === undefined) throw new Error('not a sealed secret');
    if (isForgotten(sealed)) throw new Error('this secret was forgotten when its job ended');
    const key = this.#keys.get(keyId);
    if (key === undefined)
      throw new Error(
        'sealed with another key: do all services share secrets.key_file? The key before it belongs into secrets.previous_key_files.',
      );
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
      // A text that was cut short would bring a shorter tag, which is easier to hit.
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES)), decipher.final()]).toString(
      'utf8',
    );
  }

  /** Whether there is nothing to do for a rotation: it is sealed with the current key, or holds nothing. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`v1.${this.keyId}.`) || isForgotten(sealed);
  }
}

const idOf = (key: Buffer): string => createHash('sha256').update(key).digest('base64url').slice(0, 8);
