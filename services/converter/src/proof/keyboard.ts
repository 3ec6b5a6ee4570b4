import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The guest has shown its question; it turns its echo off about then. */
const BEFORE_TYPING_MS = 500;

/** Types into the serial port's socket, to which nothing else connects. */
export class Keyboard {
  private socket: Socket | undefined;

  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {}

  /** @throws Error when QEMU is gone */
  async type(text: Buffer): Promise<void> {
    this.socket ??= await this.connected();
    await sleep(BEFORE_TYPING_MS);
    this.socket.write(text);
  }

  close(): void {
    this.socket?.destroy();
  }

  /** A socket's path may have 107 bytes, and the folder's is longer: it is reached through a descriptor of the folder. */
  private async connected(): Promise<Socket> {
    const folder = await open(this.folder, 'r');
    try {
      const socket = connect(`/proc/self/fd/${folder.fd}/${this.name}`);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject);
      });
      // What it says is read from its log; unread it would hold up the guest.
      socket.on('error', () => {}).resume();
      return socket;
    } finally {
      await folder.close();
    }
  }
}
