import type { Socket } from 'node:net';
import type { SocketReader } from './socket-reader.js';

const INIT_MAGIC = 0x4e_42_44_4d_41_47_49_43n;
const OPTION_MAGIC = 0x49_48_41_56_45_4f_50_54n;
const OPTION_REPLY_MAGIC = 0x3_e8_89_04_55_65_a9n;
const OPTION = { go: 7, structuredReply: 8, setMetaContext: 10 } as const;
const REPLY = { ack: 1, info: 3, metaContext: 4, errorBit: 0x8000_0000 } as const;
const INFO_EXPORT = 0;
/** Fixed newstyle, no zero padding. */
const CLIENT_FLAGS = 3;
const CONTEXT = 'base:allocation';
const MAX_REPLY_BYTES = 64 * 1024;

/** Agrees on structured replies and the allocation map for the default export. Returns the disk's size in bytes. */
export async function negotiate(socket: Socket, reader: SocketReader): Promise<number> {
  const greeting = await reader.exact(18);
  if (greeting.readBigUInt64BE(0) !== INIT_MAGIC || greeting.readBigUInt64BE(8) !== OPTION_MAGIC)
    throw new Error('not an NBD server');
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(CLIENT_FLAGS);
  socket.write(flags);

  await option(socket, reader, OPTION.structuredReply, Buffer.alloc(0));
  const contexts = await option(socket, reader, OPTION.setMetaContext, metaContextQuery());
  if (!contexts.some(({ type }) => type === REPLY.metaContext)) throw new Error('the NBD server has no allocation map');
  // An empty name, and no wishes for information.
  const infos = await option(socket, reader, OPTION.go, Buffer.alloc(6));
  const info = infos.find(({ type, data }) => type === REPLY.info && data.readUInt16BE(0) === INFO_EXPORT);
  if (info === undefined) throw new Error('the NBD server did not tell the size');
  return Number(info.data.readBigUInt64BE(2));
}

/** Length and name of the export (empty), number of queries, length and text of each. */
function metaContextQuery(): Buffer {
  const query = Buffer.alloc(12 + CONTEXT.length);
  query.writeUInt32BE(0, 0);
  query.writeUInt32BE(1, 4);
  query.writeUInt32BE(CONTEXT.length, 8);
  query.write(CONTEXT, 12, 'latin1');
  return query;
}

async function option(
  socket: Socket,
  reader: SocketReader,
  code: number,
  data: Buffer,
): Promise<{ type: number; data: Buffer }[]> {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(OPTION_MAGIC, 0);
  head.writeUInt32BE(code, 8);
  head.writeUInt32BE(data.length, 12);
  socket.write(Buffer.concat([head, data]));
  const replies: { type: number; data: Buffer }[] = [];
  for (;;) {
    const reply = await reader.exact(20);
    const type = reply.readUInt32BE(12);
    const length = reply.readUInt32BE(16);
    if (reply.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC || length > MAX_REPLY_BYTES)
      throw new Error('the NBD server sent an unknown option reply');
    const payload = await reader.exact(length);
    if (type === REPLY.ack) return replies;
    if (type >= REPLY.errorBit)
      throw new Error(`the NBD server refused option ${code}: ${payload.toString('utf8').slice(0, 200)}`);
    replies.push({ type, data: payload });
  }
}
