import { JobError } from '@hyper2kvm/contracts';
import { z } from 'zod';

const Cursor = z.tuple([z.iso.datetime(), z.string().max(64)]);
const Offset = z.tuple([z.number().int().positive()]);

/** The last row of a page, opaque to callers. */
export const encodeCursor = (row: { createdAt: Date; id: string }): string =>
  encode([row.createdAt.toISOString(), row.id]);

/** @throws JobError BAD_REQUEST */
export function decodeCursor(text: string): { createdAt: string; id: string } {
  const [createdAt, id] = decode(text, Cursor);
  return { createdAt, id };
}

/** How many were told on earlier pages, opaque to callers. */
export const encodeOffset = (offset: number): string => encode([offset]);

/** @throws JobError BAD_REQUEST */
export const decodeOffset = (text: string): number => decode(text, Offset)[0];

const encode = (value: unknown[]): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (error) {
    throw new JobError('BAD_REQUEST', 'cursor: not one that this API gave out; start without it.', { cause: error });
  }
}
