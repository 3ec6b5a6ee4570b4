import { CATALOGUE, type EventDefinition } from '@hyper2kvm/contracts';
import { headers, type MsgHdrs } from 'nats';

/** A message as CloudEvents 1.0 describes it in NATS binary mode: attributes in `ce-*` headers, JSON in the body. */
export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly traceparent: string | undefined;
}

/** Why a message cannot be used. */
export class InvalidMessage extends Error {
  override readonly name = 'InvalidMessage';
}

/** Larger bodies are refused unread: no event comes near it. */
export const MAX_BODY_BYTES = 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encode(envelope: Envelope, data: unknown): { headers: MsgHdrs; body: Uint8Array } {
  const hdrs = headers();
  hdrs.set('ce-specversion', '1.0');
  hdrs.set('ce-id', envelope.id);
  hdrs.set('ce-type', envelope.type);
  hdrs.set('ce-source', envelope.source);
  hdrs.set('ce-subject', envelope.subject);
  hdrs.set('ce-time', envelope.time);
  hdrs.set('content-type', 'application/json');
  if (envelope.traceparent !== undefined) hdrs.set('traceparent', envelope.traceparent);
  return { headers: hdrs, body: encoder.encode(JSON.stringify(data)) };
}

export function envelopeOf(hdrs: MsgHdrs | undefined): Envelope {
  const get = (name: string): string => hdrs?.get(name) ?? '';
  return {
    id: get('ce-id'),
    type: get('ce-type'),
    source: get('ce-source'),
    subject: get('ce-subject'),
    time: get('ce-time'),
    traceparent: get('traceparent') === '' ? undefined : get('traceparent'),
  };
}

/**
 * Reads a message of the catalogue and validates it.
 * @throws InvalidMessage saying what is wrong with it
 */
export function decode(
  hdrs: MsgHdrs | undefined,
  body: Uint8Array,
): { envelope: Envelope; definition: EventDefinition; data: unknown } {
  const envelope = envelopeOf(hdrs);
  if (envelope.id === '' || envelope.type === '') throw new InvalidMessage('it has no ce-id or ce-type header');
  const definition = CATALOGUE.get(envelope.type);
  if (definition === undefined) throw new InvalidMessage(`its type ${envelope.type} is not known to this version`);
  if (body.length > MAX_BODY_BYTES)
    throw new InvalidMessage(`its body has ${body.length} bytes, more than ${MAX_BODY_BYTES}`);
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(body));
  } catch (error) {
    throw new InvalidMessage('its body is not JSON', { cause: error });
  }
  const parsed = definition.schema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidMessage(
      `${envelope.type} does not fit its schema at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? ''}`,
    );
  }
  return { envelope, definition, data: parsed.data };
}
