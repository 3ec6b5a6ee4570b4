import { execFile } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { markOverSocket } from './socket-requests.js';

const DEFAULT_GROUP = 'hyper2kvm';
const FOLDER_MODE = 0o750;
// To connect is to write: 0750 would let nobody but the owner in.
const GROUP_MODE = 0o660;
const OWNER_MODE = 0o600;

export interface SocketOptions {
  readonly path: string;
  /** Default: hyper2kvm where there is such a group, else nobody but the owner. */
  readonly group?: string | undefined;
}

/**
 * Listens on a unix socket: its owner and its group may connect, as they may enter a folder of root:hyper2kvm 0750.
 * @returns what stops it
 * @throws Error where another process listens there, where something else lies there, or without the group that was asked for
 */
export async function listenOnSocket(
  options: SocketOptions,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<() => Promise<void>> {
  const gid = await groupId(options.group);
  makeFolder(path.dirname(options.path), gid);
  await removeStale(options.path);
  const server = createServer((request, response) => {
    markOverSocket(request);
    answer(request, response);
  });
  const before = process.umask(0o777 & ~OWNER_MODE);
  try {
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.once('listening', resolve);
    });
    // The file is made within this call, so that it is nobody else's for a moment either.
    server.listen(options.path);
    process.umask(before);
    await listening;
  } finally {
    process.umask(before);
  }
  if (gid !== undefined) {
    giveTo(options.path, gid);
    chmodSync(options.path, GROUP_MODE);
  }
  return async () => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
}

function makeFolder(folder: string, gid: number | undefined): void {
  // An existing one is its administrator's.
  if (mkdirSync(folder, { recursive: true, mode: FOLDER_MODE }) === undefined) return;
  if (gid !== undefined) giveTo(folder, gid);
  chmodSync(folder, FOLDER_MODE);
}

function giveTo(file: string, gid: number): void {
  try {
    chownSync(file, process.getuid?.() ?? 0, gid);
  } catch (error) {
    const text = `gateway.socket_group: ${file} cannot be given to group ${gid}; is the gateway's user a member?`;
    throw new Error(`${text} ${(error as Error).message}`, { cause: error });
  }
}

/** A killed gateway leaves its file behind. */
async function removeStale(file: string): Promise<void> {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new Error(`gateway.socket: ${file} is there already and is no socket; it was left alone`);
  if (await isAlive(file)) throw new Error(`gateway.socket: another process listens on ${file}`);
  unlinkSync(file);
}

function isAlive(file: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(new Error(`gateway.socket: ${file} cannot be looked at: ${error.message}`));
    });
  });
}

/** By the system's name service, which may know more than /etc/group. */
async function groupId(name: string | undefined): Promise<number | undefined> {
  const wanted = name ?? DEFAULT_GROUP;
  const found = await promisify(execFile)('getent', ['group', '--', wanted]).catch(() => undefined);
  const [, , gid] = found?.stdout.split(':') ?? [];
  if (gid !== undefined) return Number(gid);
  if (name !== undefined) throw new Error(`gateway.socket_group: there is no group ${name}`);
  return undefined;
}
