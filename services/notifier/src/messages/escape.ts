/**
 * Control characters, line separators, marks that turn the direction of text, and characters that nobody sees: none belongs in a
 * line for people.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]+/gu;

/** Names from a guest or a vCenter as one harmless line of at most `limit` characters. */
export function oneLine(text: string, limit = 1000): string {
  const line = text.replaceAll(UNPRINTABLE, ' ').trim();
  const short = line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
  // Half of a pair, from the source or from the cut, is no character.
  return short.replaceAll(/\p{Cs}/gu, '\ufffd');
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

/** Names that servers which take Slack's messages read as a call to everybody. */
const CALL = /@(?=(?:channel|all|here|everyone)\b)|(?<![a-z0-9.+-])@/gi;

/**
 * For Slack's mrkdwn: with `&`, `<` and `>` it marks links and mentions, with backticks code. A word joiner after an `@` keeps it from
 * calling somebody (in the middle of an e-mail address there is no need), and one in `](` from linking where Markdown is read.
 */
export const escapeSlack = (text: string): string =>
  text
    .replaceAll(/[&<>]/g, (mark) => ENTITIES[mark] ?? mark)
    .replaceAll('`', "'")
    .replaceAll(CALL, '@\u2060')
    .replaceAll('](', ']\u2060(');

/** An argument as a POSIX shell reads it back, for commands that people copy. */
export const shellWord = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
