/** Control characters, line separators and the marks that turn the direction of text: none belongs in a line for people. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Names from a guest or a vCenter as one harmless line of at most `limit` characters. */
export function oneLine(text: string, limit = 1000): string {
  const line = text.replaceAll(UNPRINTABLE, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For HTML text and quoted attributes. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);

/** An argument as a POSIX shell reads it back, for commands that people copy. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
