import { stripVTControlCharacters } from 'node:util';
import { redactUrls } from './redact.js';

/** `password=…`, `"token": "…"`, `Authorization: Bearer …`: programs print what they were configured with. */
const NAMED_SECRET =
  /((?:pass(?:word|wd|phrase|code)|secret|token|psk|(?:api|private)[_-]?key|authorization|credentials?)["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|(?:Bearer |Basic |Digest )?[^\s,;"']+)/gi;
/** `--password x`, `--token "x"` */
const FLAG_SECRET = /(--?[\w-]*(?:pass(?:word|wd|phrase)|secret|token)\s+)(?:"[^"]*"|'[^']*'|[^\s-]\S*)/gi;
/** Who knows the address of an incoming webhook may write there. */
const SLACK_ADDRESS = /(https:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s"'<>]+/gi;
/** What a terminal obeys: control characters but line ends and tabs, marks of direction, other line ends. */
const OBEYED = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A text of somebody else's making as it may be kept and shown: no colours or control characters, no named secrets, bounded. */
export function plainText(text: string, maxChars: number): string {
  const shown = redactUrls(stripVTControlCharacters(text).replaceAll(OBEYED, ''));
  const plain = [NAMED_SECRET, FLAG_SECRET, SLACK_ADDRESS].reduce(
    (rest, secret) => rest.replaceAll(secret, '$1[redacted]'),
    shown,
  );
  return plain.length > maxChars ? `${plain.slice(0, maxChars)}…` : plain;
}
