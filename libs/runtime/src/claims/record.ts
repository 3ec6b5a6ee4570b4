import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { Lane } from '@hyper2kvm/contracts';
import { z } from 'zod';

/** One running process, so that a later one on the same host can tell whether it is dead. */
export const Owner = z.object({
  worker_id: z.string(),
  /** Of this process alone. */
  incarnation: z.string(),
  host: z.string(),
  boot_id: z.string(),
  /** Two containers of one host have the same boot id and unrelated pids. */
  pid_namespace: z.string(),
  pid: z.number().int(),
  /** Clock ticks since boot (proc(5), field 22): a pid that was given to another process has another. */
  pid_start: z.string(),
});
export type Owner = z.infer<typeof Owner>;

/** The record of one activity for a job, in the bucket `claims` under `<activity>.<job>`. Changed by compare-and-set only: it is the truth, a message only a hint. */
export const ClaimRecord = z.object({
  attempt: z.number().int(),
  generation: z.number().int(),
  lane: Lane,
  pool: z.string(),
  /** Where the waiting message lies in its lane's stream; null until it is known. */
  seq: z.number().int().nullable(),
  /** Messages of former generations, where the job was moved from: to be deleted, and dropped by whoever gets them before. */
  left: z.array(z.object({ lane: Lane, seq: z.number().int() })).default([]),
  /** Rises each time a worker takes the lease. */
  epoch: z.number().int(),
  /** Times this attempt was started without coming to an end. */
  starts: z.number().int(),
  owner: Owner.nullable(),
  cancelled: z.boolean(),
  /** Span of the last start, of this attempt or the one before: the next start is linked to it. */
  traceparent: z.string().optional(),
  /** The fact in which it ended, to be emitted again if need be. */
  done: z
    .object({
      event_id: z.string(),
      type: z.string(),
      data: z.unknown(),
      time: z.string(),
      traceparent: z.string().optional(),
    })
    .nullable(),
});
export type ClaimRecord = z.infer<typeof ClaimRecord>;

const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** The command name may hold blanks and brackets: the fields are counted after the last bracket. */
const pidStart = (pid: number): string | undefined =>
  read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')[19];

const here = {
  host: hostname(),
  boot_id: read('/proc/sys/kernel/random/boot_id') ?? 'unknown',
  pid_namespace: ((): string => {
    try {
      return readlinkSync('/proc/self/ns/pid');
    } catch {
      return 'unknown';
    }
  })(),
};

export const thisProcess = (workerId: string): Owner => ({
  worker_id: workerId,
  incarnation: randomUUID(),
  ...here,
  pid: process.pid,
  pid_start: pidStart(process.pid) ?? 'unknown',
});

/** True when the owner was a process of this very host and does not exist any more. False means "cannot tell". */
export function isDead(owner: Owner): boolean {
  if (owner.boot_id === 'unknown' || owner.host !== here.host) return false;
  // The host was started anew: nothing of before is alive.
  if (owner.boot_id !== here.boot_id) return true;
  if (owner.pid_namespace !== here.pid_namespace) return false;
  return pidStart(owner.pid) !== owner.pid_start;
}
