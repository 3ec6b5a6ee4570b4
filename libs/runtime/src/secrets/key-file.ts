import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from '../config/load.js';

const KEY_BYTES = 32;

export const MISSING_KEY = (): ConfigError =>
  new ConfigError('secrets.key_file: a key is needed. Make one: openssl rand -base64 32 > FILE && chmod 600 FILE');

/** @param name its path in the configuration @throws ConfigError for another length */
export function keyFromBase64(text: string, name: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES)
    throw new ConfigError(`${name}: expected the base64 of ${KEY_BYTES} bytes, got ${key.length}`);
  return key;
}

/** @throws ConfigError also where the file is not there, or may be read by others */
export function keyFromFile(file: string, name: string): Buffer {
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0) throw new ConfigError(`${name}: ${file} can be read by others: chmod 600 it`);
    return keyFromBase64(readFileSync(file, 'utf8'), name);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${name}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
