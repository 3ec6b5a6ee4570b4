import { stripVTControlCharacters } from 'node:util';

/** Of what a hook prints or is answered. The contract's limit is in characters: no text has more of them than bytes. */
export const KEPT_BYTES = 16 * 1024;
const MAX_LINE = 300;

/** Keeps the end of what it is given, however much that is. */
export class Tail {
  #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= KEPT_BYTES) this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return printable(Buffer.concat(this.#chunks));
  }
}

/** The end of some bytes as text: whole characters, no colours, of control characters only line ends and tabs. */
export function printable(bytes: Buffer): string {
  let start = Math.max(0, bytes.length - KEPT_BYTES);
  // Within a character of UTF-8? Its end says nothing.
  while (start > 0 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return stripVTControlCharacters(bytes.toString('utf8', start)).replaceAll(/(?![\n\t])\p{Cc}/gu, '');
}

/** The last line with something in it: mostly what went wrong. */
export const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim().slice(0, MAX_LINE) ?? '';
