import { invalid } from '../failures.js';
import type { ExpectedDigest } from '../files/digest.js';
import { isPlainName } from '../headers/vmdk-descriptor.js';

/** OVF specification (DSP0243), 6.1: `SHA256(disk1.vmdk)= 9fc4…`. */
const LINE = /^(SHA1|SHA256|SHA512)\s*\((.+)\)\s*=\s*([0-9a-f]+)$/i;
const DIGITS = { sha1: 40, sha256: 64, sha512: 128 } as const;

export const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Digests by file. @param name of the manifest, for messages @throws JobError SOURCE_INVALID */
export function parseManifest(name: string, text: string): Map<string, ExpectedDigest> {
  const digests = new Map<string, ExpectedDigest>();
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    if (line === '') continue;
    const [, kind = '', file = '', digits = ''] = LINE.exec(line) ?? [];
    const algorithm = kind.toLowerCase() as keyof typeof DIGITS;
    if (digits.length !== DIGITS[algorithm] || !isPlainName(file))
      throw invalid(name, `has a line that no manifest has: ${JSON.stringify(line.slice(0, 80))}`);
    const digest = { algorithm, value: digits.toLowerCase() };
    if ((digests.get(file)?.value ?? digest.value) !== digest.value)
      throw invalid(name, `gives two checksums for ${file}`);
    digests.set(file, digest);
  }
  return digests;
}
