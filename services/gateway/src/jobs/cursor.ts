import { JobError } from '@hyper2kvm/contracts';
import { z } from 'zod';

const Cursor = z.tuple([z.iso.datetime(), z.string().max(64)]);

/** The last row of a page, opaque to callers. */
export const encodeCursor = (row: { createdAt: Date; id: string }): string =>
  Buffer.from(JSON.stringify([row.createdAt.toISOString(), row.id])).toString('base64url');

/** @throws JobError BAD_REQUEST */
export function decodeCursor(text: string): { createdAt: string; id: string } {
  try {
    const [createdAt, id] = Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return { createdAt, id };
  } catch (error) {
    throw new JobError('BAD_REQUEST', 'cursor: not one that this API gave out; start without it.', { cause: error });
  }
}
