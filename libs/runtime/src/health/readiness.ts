import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Live, Ready } from '@hyper2kvm/contracts';
import type { Bus } from '../bus/bus.js';
import { inTime } from '../telemetry/shared-state.js';
import { VERSION } from '../version.js';

/** Probes give up after some seconds: the answer has to be there before. */
const LIMIT_MS = 2_000;

/** One thing that a service cannot do without. */
export interface ReadyCheck {
  readonly name: string;
  /** Why it is not so; undefined where it is. A rejection is a reason too. */
  readonly why: () => Promise<string | undefined>;
}

export const liveness = (service: string): Live => ({
  status: 'alive',
  service,
  version: VERSION,
  uptime_seconds: Math.floor(process.uptime()),
});

/** Asks all at once. */
export async function readiness(service: string, checks: readonly ReadyCheck[]): Promise<Ready> {
  const answers = await Promise.all(
    checks.map(async ({ name, why }) => {
      const reason = await inTime(why(), LIMIT_MS).catch((error: unknown) => (error as Error).message);
      return reason === undefined ? { name, status: 'ok' as const } : { name, status: 'failed' as const, reason };
    }),
  );
  return { status: answers.every(({ status }) => status === 'ok') ? 'ready' : 'not ready', service, checks: answers };
}

/** Connected, and its JetStream answers: a cluster without a leader takes connections too. */
export const natsCheck = (bus: Bus): ReadyCheck => ({
  name: 'nats',
  why: async () => {
    if (bus.status() !== 'connected') return 'NATS is away';
    await bus.jsm.streams.info('FACTS');
    return undefined;
  },
});

/** May be written into, and has room. It need not exist yet, where it can be made. */
export const folderCheck = (name: string, folder: string): ReadyCheck => ({
  name,
  why: async () => {
    const existing = await nearest(folder);
    try {
      if (!(await stat(existing)).isDirectory()) return `${existing} is no folder`;
      await access(existing, constants.W_OK | constants.X_OK);
    } catch (error) {
      return `${existing} cannot be written into: ${(error as NodeJS.ErrnoException).code}`;
    }
    return (await statfs(existing)).bavail > 0 ? undefined : `${existing} is full`;
  },
});

async function nearest(folder: string): Promise<string> {
  try {
    await statfs(folder);
    return folder;
  } catch (error) {
    const parent = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) return folder;
    return nearest(parent);
  }
}
