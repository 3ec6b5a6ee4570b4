/** The looks that a secret can take on its way into something that people read. */

/** Name of the form → what to look for. */
export type Forms = ReadonlyMap<string, string>;

export function formsOf(secret: string): Forms {
  const forms = new Map([
    ['plain', secret],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['XML', secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')],
    ['URL-encoded', encodeURIComponent(secret)],
    ['form-encoded', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['hexadecimal', Buffer.from(secret).toString('hex')],
  ]);
  // Within a longer text (`user:password`) the base64 of a secret has one of three looks, by where it begins.
  for (const offset of [0, 1, 2]) {
    forms.set(`base64 +${offset}`, encodedAt(secret, offset, 'base64'));
    forms.set(`base64url +${offset}`, encodedAt(secret, offset, 'base64url'));
  }
  return forms;
}

/** The characters that the secret alone decides, wherever the bytes before and behind it are from. */
function encodedAt(secret: string, offset: number, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
  const text = bytes.toString(encoding).replace(/=+$/, '');
  const first = Math.ceil((offset * 8) / 6);
  return bytes.length % 3 === 0 ? text.slice(first) : text.slice(first, -1);
}

/** Which forms of which secrets a text holds, as `<secret> <form>`, with what stands around the first of each. */
export function leaksIn(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets].flatMap(([name, secret]) =>
    [...formsOf(secret)].flatMap(([form, look]) => {
      const at = text.indexOf(look);
      if (at < 0) return [];
      const around = `${text.slice(Math.max(0, at - 120), at)}<${name}>${text.slice(at + look.length, at + look.length + 60)}`;
      return [`${name} ${form}: ${around}`];
    }),
  );
}
