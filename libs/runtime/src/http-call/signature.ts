import { createHmac } from 'node:crypto';

const BASE64_SECRET = /^whsec_(.+)$/;

/** Standard Webhooks: what comes after `whsec_` is base64; any other secret is taken as it is. */
const keyOf = (secret: string): Buffer => {
  const [, base64] = BASE64_SECRET.exec(secret) ?? [];
  return base64 === undefined ? Buffer.from(secret, 'utf8') : Buffer.from(base64, 'base64');
};

/**
 * Headers of a signed message, as https://www.standardwebhooks.com has them: HMAC-SHA256 over `<id>.<seconds>.<body>`.
 * Without a secret there is no signature.
 */
export function signedHeaders(message: {
  readonly id: string;
  readonly time: Date;
  readonly body: string;
  readonly secret?: string | undefined;
}): Record<string, string> {
  const { body, secret } = message;
  // A dot in the id would let its end pass for the beginning of the time.
  const id = message.id.replaceAll(/[^\w:-]/g, '-');
  const seconds = String(Math.floor(message.time.getTime() / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': seconds };
  if (secret === undefined || secret === '') return headers;
  const digest = createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${digest}` };
}
