import { stripVTControlCharacters } from 'node:util';
import { redactUrls } from './redact.js';

/** `password=…`, `"token": "…"`, `Authorization: Bearer …`: programs print what they were configured with. */
const NAMED_SECRET =
  /((?:pass(?:word|wd|phrase|code)|secret|token|psk|(?:api|private)[_-]?key|authorization|credentials?)["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|(?:Bearer |Basic )?[^\s,;"']+)/gi;
/** What a terminal obeys: control characters but line ends and tabs, marks of direction, other line ends. */
const OBEYED = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A text of somebody else's making as it may be kept and shown: no colours or control characters, no named secrets, bounded. */
export function plainText(text: string, maxChars: number): string {
  const plain = redactUrls(stripVTControlCharacters(text).replaceAll(OBEYED, '')).replaceAll(
    NAMED_SECRET,
    '$1[redacted]',
  );
  return plain.length > maxChars ? `${plain.slice(0, maxChars)}…` : plain;
}
